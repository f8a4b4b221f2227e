"""Whether the backbone that params.yaml names can be had, found out before the first stage works."""

from collections.abc import Sequence
from pathlib import Path

from flows.errors import FlowError
from flows.planning.look import look
from flows.project.cache import is_kept
from flows.project.graph import StageNode
from flows.project.parameters import PARAMS, read_parameters

_LOOK = Path("stages") / "look.py"


def require_backbone(waiting: Sequence[StageNode]) -> None:
    """Make sure of each preset, where a stage is to run that takes one: its directory is here, or its site answers.

    Whether a site has it, only the stage finds out. Nothing is looked at where the project's stages know no such look.

    Args:
        waiting: the stages that are to run.

    Raises:
        FlowError: the directory is not there or no preset, or the site does not answer.
    """
    # Of candidates this stage looks at each; of those after it nobody knows which one they take.
    taker = "candidates" if _has_candidates() else "backbone"
    if not _LOOK.is_file() or not any(stage.name == taker and _takes_one(stage) for stage in waiting):
        return
    if reason := look(PARAMS.read_text(encoding="utf-8"), at_images=False).no_preset:
        raise FlowError(reason)


def _takes_one(stage: StageNode) -> bool:
    """Whether it takes a preset for certain.

    One that only follows another may find nothing changed, as where there are new images; DVC lays down again what an
    earlier run has left. A server that retrains with the backbone of such a run needs no preset for either.
    """
    return bool(stage.changes) and not is_kept(stage.name)


def _has_candidates() -> bool:
    section = read_parameters().get("backbone") if PARAMS.is_file() else None
    candidates = section.get("candidates") if isinstance(section, dict) else None
    return isinstance(candidates, list) and any(candidates)
