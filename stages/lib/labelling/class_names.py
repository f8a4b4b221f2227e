"""Names of classes: usable as folders, and apart for whoever reads them."""

import unicodedata
from collections.abc import Collection, Mapping

from stages.lib.core.errors import UserError

_LONGEST = 255  # bytes of a folder's name


def check_classes(names: Collection[str]) -> None:
    """Refuse names that cannot be folders, and two that look the same.

    Raises:
        UserError: naming them: less than two, an empty one, one with `/` or control characters or of more than 255
            bytes, or two that differ only in case, spaces, invisible characters or the form of Unicode.
    """
    if len(names) < 2:
        raise UserError(f"split: expected images of at least two classes. Received: {sorted(names)}")
    for problem in problems(dict.fromkeys(names, 1)).values():
        raise UserError(problem)


def problems(counts: Mapping[str, int]) -> dict[str, str]:
    """What is wrong with names of classes, by the name; of two that look the same with the one of fewer images.

    Args:
        counts: images of each class.
    """
    found: dict[str, str] = {}
    seen: dict[str, str] = {}
    for name in sorted(counts, key=lambda name: (-counts[name], name)):
        if not name.strip() or name in (".", "..") or any(letter in "/\\" or ord(letter) < 32 for letter in name):
            found[name] = f"split: class {name!r}: expected a name that can be a folder's"
        elif len(name.encode()) > _LONGEST:
            found[name] = f"split: class {name[:40]!r}...: expected a name of at most {_LONGEST} bytes"
        elif (other := seen.setdefault(_appearance(name), name)) != name:
            shown = ascii if repr(other) == repr(name) else repr
            found[name] = (
                f"split: classes {shown(other)} and {shown(name)} differ only in case, spaces, invisible characters or "
                "the form of Unicode; expected one name"
            )
    return found


def _appearance(name: str) -> str:
    """The same for names that a reader, or a file system, takes for one."""
    visible = "".join(letter for letter in name if not _is_invisible(letter))
    return " ".join(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", visible).casefold()).split())


def _is_invisible(letter: str) -> bool:
    # Format characters such as a zero-width space, and the selectors of a variant.
    return unicodedata.category(letter) == "Cf" or 0xFE00 <= ord(letter) <= 0xFE0F
