"""YAML of somebody's commit: a few lines of aliases are billions of values, a few lists of a matrix as many stages."""

import math
import re
from collections.abc import Callable
from typing import Any

_LONGEST, _OF_A_VALUE, _DEEPEST = 10_000_000, 10, 50  # of a YAML file: characters, also for each value; steps
# A text without these that is nowhere deeper indented than this holds no more than is written there.
_GROWING, _INDENTED, _BRACKETS = re.compile(r"[&*!]"), re.compile(r"[\s?:-]{17}"), re.compile(r"[\[{]")
_MOST_STAGES = 10_000  # of one matrix


def require_small(text: str) -> None:
    """Make sure that reading a YAML file, and whatever walks through its values, comes to an end soon.

    Raises:
        ValueError: it is too deep, or too long once aliases are written out; one in itself never ends.
        ruamel.yaml.YAMLError: it is no YAML; of a plain text, such as dvc.lock, that is left to whoever reads it.
    """
    if _is_plain(text):
        return
    from ruamel.yaml import YAML
    from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, ScalarEvent

    if len(text) > _LONGEST:
        raise ValueError(f"expected at most {_LONGEST:,} characters of YAML. Received: {len(text):,}")
    sizes: dict[str | None, int] = {}
    begun: list[tuple[str | None, int]] = []  # anchor, and how much came before
    size = 0
    for event in YAML(typ="safe").parse(text):
        if isinstance(event, AliasEvent):
            # Of an anchor that is not complete yet, or is none, nothing is known.
            size += sizes.get(event.anchor, _LONGEST)
        elif isinstance(event, CollectionStartEvent):
            begun.append((event.anchor, size))
        elif isinstance(event, ScalarEvent):
            size += len(event.value) + _OF_A_VALUE
            sizes[event.anchor] = len(event.value) + _OF_A_VALUE
        elif isinstance(event, CollectionEndEvent):
            anchor, before = begun.pop()
            size += _OF_A_VALUE
            sizes[anchor] = size - before
        if size > _LONGEST or len(begun) > _DEEPEST:
            raise ValueError(f"expected at most {_LONGEST:,} characters, aliases written out, {_DEEPEST} steps deep")


def _is_plain(text: str) -> bool:
    """Whether a look at its characters is enough: a step deeper is one of indentation, a list there, or a bracket."""
    if len(text) > _LONGEST // _OF_A_VALUE or _GROWING.search(text) or _INDENTED.search(text):
        return False
    return len(_BRACKETS.findall(text)) <= _DEEPEST - 2 * 17


def guard_yaml() -> None:
    """Make DVC in this process refuse a file that asks for what never ends."""
    from dvc.parsing import MatrixDefinition
    from dvc.utils import strictyaml
    from dvc.utils.serialize import _yaml

    modules: list[Any] = [_yaml, strictyaml]
    for module in modules:
        module.parse_yaml = _parsing(module.parse_yaml)
    matrix: Any = MatrixDefinition
    matrix._resolve_matrix_data = _multiplying(matrix._resolve_matrix_data)


def _parsing(parse: Callable[..., Any]) -> Callable[..., Any]:
    def checked(text: str | bytes, path: Any, *others: Any, **options: Any) -> Any:
        from dvc.utils.serialize import ParseError
        from ruamel.yaml import YAMLError

        try:
            require_small(text.decode() if isinstance(text, bytes) else text)
        except YAMLError:
            pass  # for DVC to tell
        except ValueError as error:
            raise ParseError(path, str(error)) from None
        try:
            return parse(text, path, *others, **options)
        except ValueError as error:
            # A date such as 2026-99-99, a number of thousands of digits.
            raise ParseError(path, str(error)) from None

    return checked


def _multiplying(resolve: Callable[..., Any]) -> Callable[..., Any]:
    """A few lists under `matrix` may ask for billions of stages."""

    def checked(self: Any) -> Any:
        from dvc.parsing import ResolveError

        found = resolve(self)
        if math.prod(len(one) for one in found.values()) > _MOST_STAGES:
            raise ResolveError(f"{self.relpath}: {self.name}.matrix: expected at most {_MOST_STAGES:,} stages")
        return found

    return checked
