"""`smallset use`: write a set of parameters over params.yaml, its comments and layout kept."""

from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import Any

from flows.errors import FlowError
from flows.project.parameters import PARAMS, read_parameters
from flows.project.parameters import dump as _dump

PROFILES = Path("profiles")
DEFAULT = "default"  # holds every key that another profile sets, so that one profile leaves nothing in the next


def use(profile: str) -> list[str]:
    """Write the values of a profile over params.yaml; what no profile sets stays as it is.

    Returns:
        One line per changed value: its key, the old and the new value.

    Raises:
        FlowError: no such profile, or a file that cannot be read, or a key that params.yaml does not have.
    """
    files = [PROFILES / f"{DEFAULT}.yaml", _find(profile)]
    return _write([(_read(file), str(file)) for file in files])


def override(values: Mapping[str, Any]) -> list[str]:
    """Write single values over params.yaml.

    Args:
        values: by their keys, as `scratch.epochs`.

    Returns:
        One line per changed value: its key, the old and the new value.

    Raises:
        FlowError: a key that params.yaml does not have, or the name of a whole section.
    """
    overlays = []
    for key, value in values.items():
        if "." not in key:
            raise FlowError(f"overrides: {key}: expected a parameter of a section, as scratch.epochs")
        for part in reversed(key.split(".")):
            value = {part: value}  # noqa: PLW2901
        overlays.append((value, "overrides"))
    return _write(overlays)


def value_of(key: str) -> Any:
    """The value of a single parameter, as `split.order`; None if there is none."""
    return dict(_values(_read(PARAMS))).get(key)


def _write(overlays: Sequence[tuple[Any, str]]) -> list[str]:
    params = _read(PARAMS)
    before = dict(_values(params))
    for overlay, source in overlays:
        _write_over(params, overlay, source)
    after = dict(_values(params))
    changed = {key for key, value in after.items() if key not in before or not _is_same(before[key], value)}
    changes = [f"{key}: {before.get(key)} -> {value}" for key, value in after.items() if key in changed]
    if changes:
        partial = PARAMS.with_suffix(".partial")
        partial.write_text(_dump(params), encoding="utf-8")
        partial.replace(PARAMS)
    return changes


def names() -> list[str]:
    """Name the profiles of the project in the working directory."""
    return sorted(file.stem for file in PROFILES.glob("*.yaml"))


def _find(profile: str) -> Path:
    if profile not in names():
        raise FlowError(f"no profile {profile!r}: expected {', '.join(names()) or f'files in {PROFILES}'}")
    return PROFILES / f"{profile}.yaml"


def _read(file: Path) -> Any:
    return read_parameters(file, "rt")


def _write_over(params: Any, overlay: Any, source: str, above: str = "") -> None:
    for key, value in overlay.items():
        name = f"{above}{key}"
        if key not in params:
            raise FlowError(f"{source}: {name}: no such parameter in {PARAMS}")
        if isinstance(value, MutableMapping) and isinstance(params[key], MutableMapping):
            _write_over(params[key], value, source, f"{name}.")
        elif not _is_same(params[key], value):
            params[key] = value


def _is_same(one: Any, other: Any) -> bool:
    # To `split`, 1 is one image and 1.0 all of them.
    return one == other and type(one) is type(other)


def _values(params: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in params.items():
        if isinstance(value, MutableMapping):
            yield from _values(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value
