"""`smallset export`: finds the model, and lets the pipeline's code convert it in a process of its own."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from flows.cli import predict_command
from flows.project import place
from flows.project.workspace import require_project

_FOLDER = Path("exports")  # in .gitignore; where nothing else is asked for


def export(model: str | None, output: Path | None, options: Sequence[str]) -> int:
    """Export a model of the project, a bundle, or the classifier of another commit.

    Args:
        model: as `--model` of `smallset predict`; None is the recommended one.
        output: folder to write, as typed; None is one named after the model in `exports/`.
        options: other words of `stages.export`.

    Returns:
        The exit code.

    Raises:
        FlowError: no project is here, whose test images the exported files are tried on.
        UserError: nothing is called so.
    """
    require_project()
    typed = None if model is None else place.as_typed(Path(model))
    directory = predict_command.find(str(typed) if typed is not None and typed.is_dir() else model).directory
    if output is None:
        _FOLDER.mkdir(exist_ok=True)
        target = _FOLDER / directory.name
    else:
        target = place.as_typed(output)
    command = [sys.executable, "-m", "stages.export", "--directory", str(directory), "--output", str(target)]
    return subprocess.call([*command, *options])
