"""Whether the backbone that params.yaml names can be had, found out before the first stage works."""

from collections.abc import Sequence
from pathlib import Path

from flows.errors import FlowError
from flows.planning.look import look
from flows.project.cache import is_kept
from flows.project.graph import StageNode
from flows.project.parameters import PARAMS

_TAKES_PRESETS = ("candidates", "candidate_features", "backbone")  # stages
_LOOK = Path("stages") / "look.py"


def require_backbone(waiting: Sequence[StageNode]) -> None:
    """Make sure of each preset, where a stage is to run that takes one: its directory is here, or its site answers.

    Whether a site has it, only the stage finds out. Nothing is looked at where the project's stages know no such look.

    Args:
        waiting: the stages that are to run.

    Raises:
        FlowError: the directory is not there or no preset, or the site does not answer.
    """
    if not _LOOK.is_file() or not any(map(_takes_one, waiting)):
        return
    if reason := look(PARAMS.read_text(encoding="utf-8"), at_images=False).no_preset:
        raise FlowError(reason)


def _takes_one(stage: StageNode) -> bool:
    """Whether it takes a preset for certain.

    One that only follows another may find nothing changed, as where there are new images; DVC lays down again what an
    earlier run has left. A server that retrains with the backbone of such a run needs no preset for either.
    """
    return stage.name.partition("@")[0] in _TAKES_PRESETS and bool(stage.changes) and not is_kept(stage.name)
