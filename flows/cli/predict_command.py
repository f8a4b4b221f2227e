"""`smallset predict`, `verify` and `serve` in a project: by bundle where there is one, else by Keras.

What it needs of DVC and git is loaded only for a model of another commit.
"""

import os
import subprocess
import sys
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from safety.text import visible
from smallset.cli import commands, models
from smallset.cli.ends import code_of
from smallset.cli.serving import serve
from smallset.errors import UserError
from smallset.inference import bundle

_MODELS = Path("models")


@dataclass(frozen=True)
class Model:
    """What a name stands for.

    Attributes:
        directory: of the model.
        why_keras: why Keras has to run it; None of a bundle.
    """

    directory: Path
    why_keras: str | None


def run(words: Sequence[str]) -> int:
    """Run the command that the words after `smallset` ask for; returns its exit code."""
    options = commands.parse(words)
    return code_of(lambda: _run(options))


def _run(options: Namespace) -> int:
    if options.command == "serve":
        return serve(options, lambda: _bundle(find(options.model)))
    model = find(options.model)
    if model.why_keras is None:
        return commands.carry_out(options, lambda: commands.load(model.directory))
    if options.command == "verify":
        _bundle(model)
    if find_spec("keras") is None:
        raise UserError(f"{model.directory}: {model.why_keras}, and to run it {_needed('keras')}")
    print(f"by Keras, which takes seconds to start: {visible(model.why_keras)}", file=sys.stderr)
    return _by_keras(options, model.directory)


def _bundle(model: Model) -> Path:
    if model.why_keras is not None:
        raise UserError(f"{model.directory}: expected a bundle: {model.why_keras}")
    return model.directory


def _by_keras(options: Namespace, directory: Path) -> int:
    given = {"--output": options.output, "--csv": options.csv, "--explain": options.explain}
    words = [word for name, value in given.items() if value is not None for word in (name, str(value))]
    words += ["--null"] if options.null else []
    # The stages of the project, and never a module that lies among the images.
    home = models.project() or Path(__file__).resolve().parents[2]
    path = os.pathsep.join(filter(None, (str(home.resolve()), os.environ.get("PYTHONPATH", ""))))
    command = [sys.executable, "-P", "-m", "stages.predict", "--model", str(directory.resolve()), *words]
    command += ["--", *options.paths]
    environment = os.environ | {"PYTHONPATH": path}
    if os.name == "posix":
        # In place of this process: who ends it ends what computes, which then leaves no half of a file.
        sys.stdout.flush()
        sys.stderr.flush()
        os.execve(command[0], command, environment)
    return subprocess.call(command, env=environment)


def find(name: str | None) -> Model:
    """What a name stands for: the directory of a bundle, a model of the project, or its classifier at another commit.

    Args:
        name: None is the project's recommended model.

    Raises:
        UserError: nothing is called so.
    """
    if name is not None and any(models.is_bundle(place) for place in (Path(name), Path(name) / bundle.PLACE)):
        return _model(models.find(name))
    if (home := models.project()) is None:
        if name is None:
            return _model(models.find(None))
        raise UserError(f"{name}: expected the directory of a bundle, or to be in a project, whose names count")
    own = home / (bundle.PLACE if name is None else _MODELS / name)
    if (name is None or Path(name).name == name) and (models.is_bundle(own) or (own / models.KERAS).is_file()):
        return _model(own)
    if name is None:
        raise UserError(
            f"expected {home / bundle.PLACE}, which a whole run makes (--model takes any trained model). "
            f"Found: {models.trained(home / _MODELS)}"
        )
    try:
        # Who predicts with what is here waits for none of this.
        from flows.registry.bundles import at_revision
    except ModuleNotFoundError as error:
        raise UserError(f"{name}: no bundle of this name, and for others {_needed(error.name)}") from None
    if (place := at_revision(name, home)) is None:
        raise UserError(
            f"{name}: expected the directory of a bundle, in-use, a version, a git revision, or a trained "
            f"model: {models.trained(home / _MODELS)}"
        )
    return _model(place)


def _model(directory: Path) -> Model:
    if not models.is_bundle(directory):
        return Model(directory, "this model is no bundle, which only the classifier is handed over as")
    return Model(directory, bundle.read(directory).reason)


def _needed(module: str | None) -> str:
    return f"the pipeline is needed ({module} is not installed): pip install '.[pipeline]' in a clone"
