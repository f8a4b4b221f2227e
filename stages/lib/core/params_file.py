"""How params.yaml is read, and a section of it checked."""

from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from safety.yaml_mistakes import yaml_mistake
from stages.lib.core.errors import UserError
from stages.lib.core.params import Params
from stages.lib.core.renamed import is_under_an_earlier_name, unknown

PARAMS_FILE = Path("params.yaml")
Section = TypeVar("Section", bound=Params)


def read_file(file: Path = PARAMS_FILE) -> dict[str, Any]:
    """Read the parameters file as YAML 1.2, which DVC reads and writes: `1e-5` is a number, `on` and `off` are text.

    Returns:
        Every section by its name, not checked yet.

    Raises:
        UserError: no such file, it is no valid YAML, a key stands there twice, or it holds no sections.
    """
    try:
        found: Any = YAML(typ="safe").load(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{file}: not found; run this from the folder that holds it") from None
    except (YAMLError, ValueError, RecursionError) as error:
        raise UserError(f"{file}: not valid YAML: {yaml_mistake(error)}") from None
    if not isinstance(found or {}, dict):
        raise UserError(f"{file}: expected sections of parameters. Received: {found!r}")
    return found or {}


def check_section(name: str, kind: type[Section], sections: dict[str, Any]) -> Section | list[str]:
    """Check section `name` as a `kind`.

    Args:
        name: of the section.
        kind: its model.
        sections: all of params.yaml, as read.

    Returns:
        The section, or else its mistakes: for each the key, what was expected and what came.
    """
    if name not in sections:
        return [f"expected a section {name!r}, found {', '.join(map(str, sections)) or 'none'}"]
    try:
        return kind.model_validate(sections[name])
    except ValidationError as error:
        found = error.errors()
        written = [_key(name, one) for one in found if one["type"] == "extra_forbidden"]
        wrong = [
            one for one in found if one["type"] != "missing" or not is_under_an_earlier_name(_key(name, one), written)
        ]
        return [_explain(name, kind, one) for one in wrong]


def _key(section: str, error: Any) -> str:
    return ".".join([section, *map(str, error["loc"])])


def _explain(section: str, kind: type[Params], error: Any) -> str:
    key = _key(section, error)
    if error["type"] == "extra_forbidden":
        return unknown(key, "parameter")
    if error["type"] == "missing":
        return f"{key}: missing"
    if not error["loc"]:
        # Of several keys, and the message has what came: the whole section would hide it.
        return f"{key}: {error['msg'].removeprefix('Value error, ')}"
    field = kind.model_fields.get(str(error["loc"][0])) if len(error["loc"]) == 1 else None
    null = ", or null" if field and type(None) in get_args(field.annotation) else ""
    return f"{key}: {error['msg'].removeprefix('Value error, ')}{null}. Received: {error['input']!r}"
