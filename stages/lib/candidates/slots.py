"""The slots of candidates, and what is written down of each.

DVC keeps the work on each slot by itself: what is in one changes nothing in the others.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from stages.lib.core.model_sections import SLOTS
from stages.lib.core.outputs import DISABLED, atomic_directory, is_disabled, write_json

PRESET, OUT_OF_FOLD = "preset", "out_of_fold.csv"  # in the directory of a slot, beside its features
_ABOUT = "candidate.json"


@dataclass(frozen=True)
class Candidate:
    """What is known of a candidate before any image is seen.

    Attributes:
        preset: as `backbone.candidates` names it.
        image_size: height and width in pixels of the images that it gets.
        own_size: of those that it was made for; None where it does not say.
        parameters: numbers in its weights.
        multiply_adds: per image (`cost.multiply_adds`).
        megabytes: of its weights as numbers of 32 bits; 1 MB: 1e6 bytes.
        channels: size of a feature vector.
    """

    preset: str
    image_size: int
    own_size: int | None
    parameters: int
    multiply_adds: int
    megabytes: float
    channels: int


def write_entries(folder: Path, presets: Sequence[str | None]) -> None:
    """Write the preset of every slot to `<slot>.json` of a directory; null for a slot without one."""
    with atomic_directory(folder) as partial:
        for place, slot in enumerate(SLOTS):
            write_json(presets[place] if place < len(presets) else None, partial / f"{slot}.json")


def read_entry(file: Path) -> str | None:
    """The preset of a slot; None for a slot without one."""
    found = json.loads(file.read_text(encoding="utf-8"))
    assert found is None or isinstance(found, str)
    return found


def leave_empty(directory: Path) -> None:
    """Write the output of a slot without a candidate: a directory with only a sentence that says so."""
    with atomic_directory(directory) as partial:
        sentence = "No candidate has this slot: see `backbone.candidates` in params.yaml.\n"
        (partial / DISABLED).write_text(sentence, encoding="utf-8")


def write_about(directory: Path, candidate: Candidate) -> None:
    """Write down what is known of a candidate."""
    write_json(asdict(candidate), directory / _ABOUT)


def read_all(folder: Path) -> dict[Path, Candidate]:
    """The candidates by the directories of their slots, in the order of the slots."""
    directories = [folder / slot for slot in SLOTS if not is_disabled(folder / slot)]
    return {one: Candidate(**json.loads((one / _ABOUT).read_text(encoding="utf-8"))) for one in directories}
