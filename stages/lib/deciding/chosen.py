"""What the stage `decisions` chose, read back."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smallset.inference import bundle
from smallset.inference.decisions import Decisions, read
from stages.lib.core.errors import UserError
from stages.lib.core.outputs import is_disabled
from stages.lib.deciding import distances
from stages.lib.deciding.distances import Distance

DISTANCE, CHOSEN, FIGURES, ANSWERS = "distance.npz", "decisions.json", "figures.json", "answers.csv"


@dataclass(frozen=True)
class Chosen:
    """What a bundle takes over; None each where the stage is turned off, or the model has no pooled features."""

    decisions: Decisions | None
    distance: Distance | None


def read_chosen(directory: Path, about: Mapping[str, Any]) -> Chosen:
    """Read the output of the stage `decisions`.

    Args:
        directory: of the stage.
        about: summary.json of the model that is deployed.

    Raises:
        UserError: the limits are those of another model.
    """
    if is_disabled(directory):
        return Chosen(None, None)
    content = bundle.read_json(directory / CHOSEN)
    if content.get("model") != about["stage"]:
        raise UserError(
            f"{directory}: expected limits of {about['stage']}, found those of {content.get('model')}; run again"
        )
    file = directory / DISTANCE
    return Chosen(read(content, len(about["classes"])), distances.read(file) if file.is_file() else None)
