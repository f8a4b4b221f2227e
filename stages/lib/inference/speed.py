"""How fast a model is here: true of one machine, so no output of a stage, but a note for the page of the run."""

from pathlib import Path

from safety.checksums import checksum
from stages.lib.core.outputs import write_json

FOLDER = Path(".smallset") / "speed"  # tests/test_contract.py holds `flows.run.page_slots` to it


def keep(name: str, model: Path, seconds: float) -> None:
    """Note the time that an image takes.

    Args:
        name: of the model.
        model: its file; the note holds for this content alone.
        seconds: of one image in a whole batch, without reading it.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    write_json({"model": checksum(model), "milliseconds": round(1000 * seconds, 2)}, FOLDER / f"{name}.json")
