"""What `split` has set aside of the images that lie here: so that nothing is set aside without a word."""

from pathlib import Path

from flows.project.divided import read_split

_LIST = Path("data") / "rejected.csv"


def strays() -> int:
    """How many folders, files, classes and rows of a csv did not fit the rest and were set aside."""
    return _count("strays")


def set_aside() -> int:
    """The same, together with files that cannot be decoded."""
    return strays() + _count("rejected")


def told() -> str:
    """How much is set aside and where it is listed, as the end of a sentence; empty where there is nothing."""
    counts = {"that do not fit the rest": strays(), "that cannot be decoded": _count("rejected")}
    found = [f"{count:,} {what}" for what, count in counts.items() if count]
    return f"; set aside: {', '.join(found)}, see {_LIST}" if found else ""


def _count(name: str) -> int:
    return int(read_split().get(name, 0))
