"""What each model costs beside what it is worth: its size here, its time in the page of a run."""

from dataclasses import dataclass
from pathlib import Path

from safety.checksums import checksum
from stages.lib.comparison.evaluations import Results


@dataclass(frozen=True)
class Cost:
    """Of one model.

    Attributes:
        megabytes: of model.keras.
        checksum: SHA-256 of it, by which a measured time is known to be of this model.
    """

    megabytes: float
    checksum: str


def costs(results: Results, models: Path) -> dict[str, Cost]:
    """Look at the saved model of each name.

    Args:
        results: of all models.
        models: a directory per model.
    """
    return {one.name: _of(models / one.name / "model.keras") for one in results.evaluations}


def _of(file: Path) -> Cost:
    return Cost(file.stat().st_size / 1e6, checksum(file))
