"""What the report cautions about among the files that do not count."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from safety.words import counted
from stages.lib.images.set_aside import NO_CLASS, NO_IMAGE, STRAY

_TOLD = 3  # reasons in a caution


def cautions_of(listed: Path) -> list[str]:
    """What is to be known of the images that do not count, a sentence each: strays first, then damaged files.

    Args:
        listed: the table; may be one without strays.
    """
    table = pd.read_csv(listed, dtype=str, na_filter=False)
    return [*_strays(table), *_damaged(table)]


def _strays(table: pd.DataFrame) -> Iterator[str]:
    found = table[table["reason"].str.startswith(STRAY)]
    if len(found):
        reasons = Counter(found["reason"].str.removeprefix(STRAY)).most_common()
        told = "; ".join(f"{reason} ({count} of them)" if count > 1 else reason for reason, count in reasons[:_TOLD])
        more = f"; and {len(reasons) - _TOLD} more reasons" if len(reasons) > _TOLD else ""
        yield (
            f"{counted(len(found), 'thing does', 'things do')} not fit the rest and {_were(len(found))} set aside: "
            f"{told}{more}. data/rejected.csv names all: mend or remove them."
        )


def _damaged(table: pd.DataFrame) -> Iterator[str]:
    reasons = table["reason"]
    found = table[~(reasons.str.startswith((STRAY, NO_CLASS)) | (reasons == NO_IMAGE))]
    if len(found):
        first = found.iloc[0]
        yield (
            f"{counted(len(found), 'file')} cannot be read or decoded and {_were(len(found))} set aside, the "
            f"first is {first['path']} ({first['reason']}). data/rejected.csv names all: replace or remove them."
        )


def _were(count: int) -> str:
    return "was" if count == 1 else "were"
