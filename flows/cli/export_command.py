"""`smallset export`: finds the model, and lets the pipeline's code convert it in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from flows.cli import predict_command
from flows.errors import FlowError
from flows.project import place
from flows.project.workspace import require_project
from smallset.cli import models
from smallset.errors import UserError
from smallset.inference import bundle

_FOLDER = Path("exports")  # in .gitignore; where nothing else is asked for


def export(model: str | None, output: Path | None, options: Sequence[str]) -> int:
    """Export a model of the project, a bundle, or the classifier of another commit.

    Args:
        model: as `--model` of `smallset predict`; None is the recommended one.
        output: folder to write, as typed; None is one named after the model in `exports/`.
        options: other words of `stages.export`.

    Returns:
        The exit code, where this process was not replaced by the one that exports.

    Raises:
        FlowError: no project is here, whose test images the exported files are tried on, or nothing is called so.
    """
    require_project()
    try:
        directory = predict_command.find(_as_typed(model)).directory
    except UserError as error:
        raise FlowError(str(error)) from None
    if output is None:
        _FOLDER.mkdir(exist_ok=True)
        target = _FOLDER / directory.name
    else:
        target = place.as_typed(output)
    words = ["--directory", str(directory.resolve()), "--output", str(target), *options]
    command = [sys.executable, "-m", "stages.export", *words]
    if os.name == "posix":
        # In place of this process: who ends it ends what converts, which then leaves no half of a folder.
        sys.stdout.flush()
        sys.stderr.flush()
        os.execv(command[0], command)
    return subprocess.call(command)


def _as_typed(model: str | None) -> str | None:
    """A bundle is named from where the command was typed, anything else within the project."""
    if not model:
        return model
    typed = place.as_typed(Path(model))
    return str(typed) if any(models.is_bundle(one) for one in (typed, typed / bundle.PLACE)) else model
