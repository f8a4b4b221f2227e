"""Which files are results, of one's own images whoever's pipeline made them: those with the attribute `result`."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from flows.project.git import content, git

ATTRIBUTES = ".gitattributes"
_OWN = Path(__file__).resolve().parents[2] / ATTRIBUTES


@contextmanager
def attributes_of(commit: str) -> Iterator[list[str]]:
    """Options of git that let it know the attributes of a commit's files in any commit, an older one that has none too.

    Yields:
        The options, for before the command.
    """
    text = content(commit, ATTRIBUTES)
    if text is None:
        text = _OWN.read_text(encoding="utf-8") if _OWN.is_file() else ""
    with tempfile.TemporaryDirectory(prefix="smallset-") as folder:
        file = Path(folder) / "attributes"
        file.write_text(f"{text}\n", encoding="utf-8")
        yield ["-c", f"core.attributesFile={file}"]


def results_among(paths: Sequence[str], attributes: Sequence[str], folder: Path | str = ".") -> set[str]:
    """Those of these paths that are results.

    Args:
        attributes: as `attributes_of` gives them.
    """
    if not paths:
        return set()
    told = git(*attributes, "check-attr", "-z", "--stdin", "result", folder=folder, text="\0".join(paths))
    fields = told.split("\0")
    return {path for path, value in zip(fields[::3], fields[2::3], strict=False) if value == "set"}
