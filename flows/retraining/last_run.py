"""When retraining last looked and what it came to, beside git's own files of its checkout.

A run that finds nothing new leaves no commit and no tag; that it was there is known here.
"""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from flows.project.git import own_file
from flows.project.whole_file import write_whole

_FILE = "smallset-last-run.json"  # in the folder of git


@dataclass(frozen=True)
class LastRun:
    """The last scheduled run of a checkout.

    Attributes:
        ended: when, UTC, ISO 8601.
        state: as Prefect has it, such as `UpToDate`, or `Ended` from outside.
        message: of it.
        succeeded: when one last ended without a failure; empty where none has.
    """

    ended: str
    state: str
    message: str
    succeeded: str


def keep(state: str, message: str, is_success: bool, folder: Path | str = ".") -> None:
    """Keep how a run of a checkout has ended.

    Args:
        state: as `LastRun` has it.
        message: of it.
        is_success: whether it ended without a failure.
        folder: of the checkout.
    """
    # To the millisecond: a failure right after a success is another moment.
    ended = datetime.now(UTC).isoformat(timespec="milliseconds")
    before, file = read(folder), own_file(_FILE, folder)
    succeeded = ended if is_success else before.succeeded if before else ""
    write_whole(file, json.dumps(asdict(LastRun(ended, state, message, succeeded)), indent=2) + "\n")


def read(folder: Path | str = ".") -> LastRun | None:
    """The last scheduled run of a checkout; None where none has ended there."""
    try:
        found = LastRun(**json.loads(own_file(_FILE, folder).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return found if all(isinstance(value, str) for value in asdict(found).values()) else None
