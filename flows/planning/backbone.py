"""Whether the backbone that params.yaml names can be had, found out before the first stage works."""

from collections.abc import Collection
from pathlib import Path

from flows.errors import FlowError
from flows.planning.look import look
from flows.project.parameters import PARAMS

_TAKES_PRESETS = ("candidates", "candidate_features", "backbone")  # stages
_LOOK = Path("stages") / "look.py"


def require_backbone(waiting: Collection[str]) -> None:
    """Make sure of each preset, where a stage is to run that takes one: its directory is here, or its site answers.

    Whether a site has it, only the stage finds out. Nothing is looked at where the project's stages know no such look.

    Args:
        waiting: names of the stages that are to run.

    Raises:
        FlowError: the directory is not there or no preset, or the site does not answer.
    """
    if not _LOOK.is_file() or not any(name.partition("@")[0] in _TAKES_PRESETS for name in waiting):
        return
    if reason := look(PARAMS.read_text(encoding="utf-8"), at_images=False).no_preset:
        raise FlowError(reason)
