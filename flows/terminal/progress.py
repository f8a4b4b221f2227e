"""How far a stage is, read from what it prints."""

import re
from dataclasses import dataclass

_EPOCH = re.compile(r"epoch +(\d{1,9})/(\d{1,9})\b")
_SHARE = re.compile(r"(.{1,200}): [\d,.]+(?: MB)? \((\d{1,3}) %\)$")


@dataclass(frozen=True)
class Progress:
    """How much is done.

    Attributes:
        title: of what.
        done: of `total`.
        is_epoch: whether epochs are counted, which take about the same time each.
    """

    title: str
    done: int
    total: int
    is_epoch: bool


def progress_in(line: str) -> Progress | None:
    """What a line says of the progress; None where it is of something else."""
    if line.startswith("epoch ") and (found := _EPOCH.match(line)):
        done, total = int(found[1]), int(found[2])
        return Progress(f"epoch {done} of {total}", done, total, True) if 0 < done <= total else None
    if line.endswith(" %)") and (found := _SHARE.match(line)) and int(found[2]) <= 100:
        return Progress(f"{found[1]}: {found[2]} %", int(found[2]), 100, False)
    return None
