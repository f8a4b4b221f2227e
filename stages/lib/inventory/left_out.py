"""The list of what does not count, `data/rejected.csv`: written and limited."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from stages.lib.core.errors import UserError
from stages.lib.core.outputs import atomic_file, write_csv
from stages.lib.inventory.contents import Rejected

_SHOWN = 10  # printed


def write_left_out(file: Path, left_out: Sequence[Rejected]) -> None:
    """Write the table: path (also of a folder, a class or a row of a csv), reason."""
    table = pd.DataFrame([(one.name, one.reason) for one in left_out], columns=["path", "reason"], dtype=str)
    with atomic_file(file) as partial:
        write_csv(table, partial)


def mention(files: Sequence[Rejected], listed: Path) -> None:
    """Print what is damaged or does not fit, as far as one reads it.

    Args:
        files: what is left out.
        listed: the table of all of it.
    """
    for file in files[:_SHOWN]:
        print(f"rejected: {file.name}: {file.reason}")
    if len(files) > _SHOWN:
        print(f"rejected: {len(files) - _SHOWN} more, listed in {listed}")


def check_share(broken: Sequence[Rejected], strays: Sequence[Rejected], total: int, limit: float, listed: Path) -> None:
    """Refuse so much that is damaged or does not fit that something else must be wrong.

    Args:
        broken: files that cannot be decoded.
        strays: what does not fit the rest.
        total: files.
        limit: largest share of them.
        listed: the table's file.

    Raises:
        UserError: with the share and the first of them.
    """
    bad = [*broken, *strays]
    if len(bad) > limit * total:
        what = "cannot be decoded or do not fit the rest" if strays else "cannot be decoded"
        raise UserError(
            f"split.max_rejected: {len(bad)} of {total} files {what} ({len(bad) / total:.1%}; expected at most "
            f"{limit:.1%}), all are listed in {listed}, the first is {bad[0].name}: {bad[0].reason}"
        )
