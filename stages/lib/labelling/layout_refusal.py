"""The error about a layout that could be read in two ways, with regular expressions that would say which is meant."""

from collections.abc import Sequence

from stages.lib.core.errors import UserError
from stages.lib.labelling.names import class_in_name, companion_in, literal, literals, some

Parts = tuple[str, ...]  # folders and the name of a file
_ADVICE = "set split.labels to a csv with the columns path,label or to a regular expression on the path, such as "


class Unclear(UserError):
    """Paths that tell less than two classes apart, or could be read in two ways.

    Attributes:
        why: in a few words.
        ways: regular expressions that would say what is meant.
    """

    def __init__(self, message: str, why: str, ways: Sequence[str] = ()) -> None:
        """Say it."""
        super().__init__(message)
        self.why, self.ways = why, tuple(ways)


def without_companions(files: Sequence[Parts], prefix: Parts, tops: set[str]) -> str | None:
    """The pattern of what lies beside masks and annotations; None where nothing of the kind is there."""
    if not (companion := companion_in(tops)):
        return None
    by_name = all(class_in_name(file[-1]) for file in files if file[len(prefix)] != companion)
    return f"{beside(tops, companion)}/" + (r"(?P<label>[^/]+?)[ ._-]\d+[^/]*$" if by_name else "(?P<label>[^/]+)/")


def beside(folders: set[str], companion: str) -> str:
    """The pattern of the folders that hold the images: the only other one, if there is one."""
    others = sorted(folders - {companion})
    return literal(others[0]) if len(others) == 1 else f"(?!{literal(companion)}/)[^/]+"


def refusal(files: Sequence[Parts], why: str, prefix: Parts = (), below: str | None = None) -> Unclear:
    """The error, with a pattern to set: the one that fits `below` the prefix, or those that may fit."""
    start = f"^{literals(prefix)}"
    depth = max((len(file) for file in files), default=0) - len(prefix)
    ways = [f"{start}{'[^/]+/' * above}(?P<label>[^/]+)/" for above in range(min(depth - 1, 2))]
    if below:
        ways = [f"{start}{below}"]
    elif not ways or sum(class_in_name(file[-1]) is not None for file in files) > len(files) / 2:
        ways.append(r"(?P<label>[^/]+?)[ ._-]\d+[^/]*$")
    shown_ways = " or ".join(f"'{way}'" for way in ways)
    return Unclear(
        "split.labels: expected images of at least two classes, as <class>/<file> or <class>.<number>.jpg, in a "
        f"layout with one meaning. Received: {why}; {_ADVICE}{shown_ways}",
        why,
        ways,
    )


def shown(files: Sequence[Parts]) -> str:
    """The first three paths, and a sign that there are more."""
    return some(["/".join(file) for file in files])
