"""What dvc.yaml says of a stage, and what its code does: as the contract is read. Imports no TensorFlow."""

import importlib
import inspect
import shlex
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from stages.lib.core.params import Params
from tests.packages import ROOT, imports

LIB = ROOT / "stages" / "lib"
CODE = ("stages/", "smallset/")
SMALLSET = ROOT / "smallset"
# How a stage starts, fails and writes: nothing that a result depends on, so no stage depends on it.
INERT = {LIB / "core", SMALLSET / "errors.py"}

# A stage with the module of another: only parameters differ.
SHARED_MODULE = {"scratch_augmented": "scratch"}


def load(file: str) -> dict[str, Any]:
    return yaml.safe_load((ROOT / file).read_text(encoding="utf-8"))


# `foreach` and `matrix` stages are one stage here: they have one command.
STAGES: dict[str, dict[str, Any]] = {name: body.get("do", body) for name, body in load("dvc.yaml")["stages"].items()}


def module_of(stage: str) -> str:
    return SHARED_MODULE.get(stage, stage)


def function_of(stage: str) -> Any:
    module = module_of(stage)
    return getattr(importlib.import_module(f"stages.{module}"), module)


def sections_of(stage: str) -> dict[str, type[Params]]:
    """The sections of params.yaml that a stage reads, as `stages.lib.core.entry` finds them."""
    arguments = inspect.signature(function_of(stage)).parameters.values()
    return {
        stage if argument.name == "params" else argument.name: argument.annotation
        for argument in arguments
        if inspect.isclass(argument.annotation) and issubclass(argument.annotation, Params)
    }


def declared(stage: str, *kinds: str) -> set[str]:
    """Paths of the deps, outs, metrics or plots of a stage."""
    entries = [entry for kind in kinds for entry in STAGES[stage].get(kind, [])]
    return {next(iter(entry)) if isinstance(entry, dict) else entry for entry in entries}


def options_of(stage: str) -> dict[str, str]:
    """Options of the command, without the name of the stage."""
    words = shlex.split(STAGES[stage]["cmd"])
    assert words[:3] == ["python", "-m", f"stages.{module_of(stage)}"]
    options = dict(zip(words[3::2], words[4::2], strict=True))
    assert options.pop("--stage", module_of(stage)) == stage
    return options


@cache
def uses(file: Path) -> frozenset[Path]:
    """Modules of `stages/lib` and `smallset` that a module imports."""
    named = {ROOT.joinpath(*name.split(".")).with_suffix(".py") for name in imports(file)}
    return frozenset(path for path in named if path.is_file() and any(map(path.is_relative_to, (LIB, SMALLSET))))


def modules_of(stage: str) -> set[Path]:
    """Every module of `stages` and `smallset` that a stage runs."""
    waiting, found = [ROOT / "stages" / f"{module_of(stage)}.py"], set()
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            waiting.extend(uses(file))
    return found


def needs(stage: str) -> set[str]:
    """What of the code decides what a stage does: its module, and each package, whole, of which it imports a module."""
    modules = {file if file.parent in {LIB, LIB.parent, SMALLSET} else file.parent for file in modules_of(stage)}
    whole = modules - INERT
    return {path.relative_to(ROOT).as_posix() for path in whole}
