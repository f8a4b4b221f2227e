"""How a stage starts: paths from the command line in dvc.yaml, numbers from params.yaml, errors in one line."""

import argparse
import inspect
import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import Any, TextIO, cast

from safety.machine_faults import machine_fault
from safety.text import shown, visible
from safety.words import listed
from stages.lib.core import versions
from stages.lib.core.errors import TemporaryError, UserError
from stages.lib.core.params import Params
from stages.lib.core.section_checks import read_sections

INTERRUPTED = 130
TEMPORARY_FAILURE = 75  # EX_TEMPFAIL of sysexits.h: who started the stage may try again


def run(function: Callable[..., None]) -> None:
    """Run `function` as the stage that the command line asks for, and exit.

    Each argument annotated `Path` is an option of the same name (`model_dir` is `--model-dir`), and so is each field of
    an argument annotated with a dataclass of paths. Each argument annotated with a `Params` class is read from
    params.yaml: `params` from the section named after the stage, any other from the section of its own name. `stage`
    receives the stage's name: `--stage`, or the function's own name. `--size` names the file in which the stage
    backbone wrote the value of common.image_size.
    Every section is checked before anything else, also those of later stages, and those that the stage was given once
    more at its end.

    Args:
        function: the stage; its arguments say what it needs.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    _print_anything()
    try:
        arguments, given = _arguments(function, sys.argv[1:])
        function(**arguments)
        _require_unedited(given)
    except UserError as error:
        print(f"error: {visible(error)}", file=sys.stderr)
        sys.exit(TEMPORARY_FAILURE if isinstance(error, TemporaryError) else 1)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except OSError as error:
        if (told := machine_fault(error)) is None:
            raise
        sys.exit(f"error: {visible(told)}")


def _print_anything() -> None:
    """Let no name of a file end a stage, or obey a terminal, while it is printed; what is printed has no secrets."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    # Not stderr, where progress bars are drawn; errors are escaped one by one.
    sys.stdout = cast("TextIO", _Shown(sys.stdout))


class _Shown:
    """A stream that takes text and writes what may be shown of it."""

    def __init__(self, stream: TextIO) -> None:
        """Write to this stream."""
        self._stream = stream

    def write(self, text: str) -> int:
        """Write text of any number of lines."""
        self._stream.write(shown(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        """Be the stream in all else."""
        return getattr(self._stream, name)


def path_names(function: Callable[..., None]) -> list[str]:
    """Names of the paths that a stage takes, as arguments or as fields of a dataclass."""
    found: list[str] = []
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.annotation is Path:
            found.append(name)
        elif is_dataclass(parameter.annotation):
            found += [field.name for field in fields(parameter.annotation)]
    return found


def _require_unedited(given: Mapping[str, Params]) -> None:
    """DVC reads parameters after the command, and would write down that an edited one has made this result."""
    now = read_sections()
    keys = [
        f"{name}.{key}"
        for name, section in given.items()
        for key in type(section).model_fields
        if getattr(now[name], key) != getattr(section, key)
    ]
    if keys:
        raise UserError(f"{listed(keys)} changed while the stage was at work, so it counts for neither: run again")


def _arguments(function: Callable[..., None], argv: list[str]) -> tuple[dict[str, Any], dict[str, Params]]:
    """What the stage gets, and the sections among it as params.yaml has them."""
    wanted = inspect.signature(function).parameters
    parser = argparse.ArgumentParser(description=inspect.getdoc(function))
    parser.add_argument("--stage", default=function.__name__, help="name of the stage and of its params section")
    parser.add_argument("--size", type=Path, help="file of the stage backbone with the value of common.image_size")
    for name in path_names(function):
        parser.add_argument(f"--{name.replace('_', '-')}", type=Path, required=True)
    options = vars(parser.parse_args(argv))
    sections = read_sections()
    versions.check(sections["versions"])
    arguments: dict[str, Any] = {name: options[name] for name in wanted if name in options}
    given: dict[str, Params] = {}
    for name, parameter in wanted.items():
        kind: Any = parameter.annotation
        if inspect.isclass(kind) and issubclass(kind, Params):
            section = options["stage"] if name == "params" else name
            arguments[name] = given[section] = sections[section]
        elif inspect.isclass(kind) and is_dataclass(kind):
            arguments[name] = kind(**{field.name: options[field.name] for field in fields(kind)})
    if options["size"] is not None:
        size = json.loads(options["size"].read_text(encoding="utf-8"))
        arguments["common"] = arguments["common"].model_copy(update=size)
    return arguments, given
