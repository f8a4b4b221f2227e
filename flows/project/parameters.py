"""params.yaml, read as DVC reads it, and checked by the stages' own models before anything starts."""

import io
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from flows.errors import FlowError
from flows.project.guarded_yaml import require_small
from safety.yaml_mistakes import yaml_mistake

PARAMS = Path("params.yaml")
_CHECK = "stages.lib.core.section_checks"  # a process: flows never import stages


def read_parameters(file: Path = PARAMS, typ: Literal["safe", "rt"] = "safe") -> Any:
    """Read a file of parameters as YAML 1.2: `1e-5` is a number, `on` and `off` are text.

    Args:
        typ: of ruamel; "rt" keeps comments and layout for writing.

    Returns:
        A mapping of sections.

    Raises:
        FlowError: no such file, it is no valid YAML, a key stands there twice, or it holds no sections.
    """
    return parameters_of(text_of(file), file, typ)


def text_of(file: Path = PARAMS) -> str:
    """The text of a file of parameters.

    Raises:
        FlowError: no such file, or it is no UTF-8.
    """
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise FlowError(f"{file}: not found; run this from the project's folder") from None
    except ValueError as error:
        raise FlowError(f"{file}: not valid YAML: {yaml_mistake(error)}") from None


def parameters_of(text: str, file: Path = PARAMS, typ: Literal["safe", "rt"] = "safe") -> Any:
    """What `read_parameters` gives, of a text that has been read from a file.

    Raises:
        FlowError: as `read_parameters`.
    """
    try:
        found = load(text, typ)
    except (YAMLError, ValueError) as error:
        raise FlowError(f"{file}: not valid YAML: {yaml_mistake(error)}") from None
    if not isinstance(found, dict):
        raise FlowError(f"{file}: expected sections of parameters")
    return found


def load(text: str, typ: Literal["safe", "rt"] = "safe") -> Any:
    """What a text of YAML holds, whoever wrote it.

    Raises:
        YAMLError: it is none. ValueError: it asks for too much, or a date or number in it is none.
    """
    require_small(text)
    return parser(typ).load(text)


def dump(params: Any) -> str:
    """The text of parameters that were loaded with their comments and layout."""
    yaml, text = parser("rt"), io.StringIO()
    # ruamel would write nothing for null.
    yaml.representer.add_representer(type(None), lambda r, _: r.represent_scalar("tag:yaml.org,2002:null", "null"))
    yaml.dump(params, text)
    return text.getvalue()


def parser(typ: Literal["safe", "rt"]) -> YAML:
    """The one parser of parameters."""
    yaml = YAML(typ=typ)
    yaml.preserve_quotes = True
    yaml.width = 1 << 16
    return yaml


def by_key(sections: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Every value of sections in sections by its key.

    Args:
        sections: as `read_parameters` gives them.
        above: begins every key.

    Example:
        >>> by_key({"common": {"seed": 0}, "scratch": {"epochs": 3}})
        {'common.seed': 0, 'scratch.epochs': 3}
    """
    found: dict[str, Any] = {}
    for key, value in sections.items():
        found |= by_key(value, f"{above}{key}.") if isinstance(value, Mapping) else {f"{above}{key}": value}
    return found


def check_parameters(file: Path = PARAMS) -> None:
    """Have every section checked by its stage's model, and whether the sections agree; takes 0.2 s.

    Nothing is checked where the project's stages know no such check: those of an earlier commit, or of another kind.

    Args:
        file: of parameters that may take the place of params.yaml, and by whose name mistakes are told.

    Raises:
        FlowError: every mistake of every section, in one line.
    """
    if not Path(*_CHECK.split(".")).with_suffix(".py").is_file():
        return
    read_parameters(file)
    command = [sys.executable, "-m", _CHECK, *([str(file)] if file != PARAMS else [])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"{_CHECK}: exit code {done.returncode}"]
        raise FlowError(lines[-1].removeprefix("error: ").replace(f"{file}: ", f"{PARAMS}: ", 1))
