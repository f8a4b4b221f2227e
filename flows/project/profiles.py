"""`smallset use`: write a set of parameters over params.yaml, its comments and layout kept."""

import difflib
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.errors import FlowError
from flows.project.parameters import PARAMS, by_key, dump, parameters_of, read_parameters, text_of
from flows.project.whole_file import write_whole

PROFILES = Path("profiles")
Overlay = tuple[Any, str]  # values by their keys, and where they are from
DEFAULT = "default"  # holds every key that another profile sets, so that one profile leaves nothing in the next


def use(profile: str) -> list[str]:
    """Write the values of a profile over params.yaml; what no profile sets stays as it is.

    Returns:
        One line per changed value: its key, the old and the new value.

    Raises:
        FlowError: no such profile, or a file that cannot be read, or a key that params.yaml does not have.
    """
    return write(changed(of_profile(profile)))


def of_profile(profile: str) -> list[Overlay]:
    """The values that `use` writes: those of the default, then those of the profile."""
    return [(_read(file), str(file)) for file in (PROFILES / f"{DEFAULT}.yaml", _find(profile))]


def override(values: Mapping[str, Any]) -> list[str]:
    """Write single values over params.yaml.

    Args:
        values: by their keys, as `scratch.epochs`.

    Returns:
        One line per changed value: its key, the old and the new value.

    Raises:
        FlowError: a key that params.yaml does not have, or the name of a whole section.
    """
    return write(changed(of_values(values, "overrides")))


def of_values(values: Mapping[str, Any], source: str) -> list[Overlay]:
    """Single values by their keys, as `scratch.epochs`.

    Args:
        source: what names them, for errors.

    Raises:
        FlowError: the name of a whole section.
    """
    overlays = []
    for key, value in values.items():
        if "." not in key:
            raise FlowError(f"{source}: {key}: expected a parameter of a section, as scratch.epochs{_nearest(key)}")
        for part in reversed(key.split(".")):
            value = {part: value}  # noqa: PLW2901
        overlays.append((value, source))
    return overlays


def value_of(key: str) -> Any:
    """The value of a single parameter, as `split.order`; None if there is none."""
    return current().get(key)


def current() -> dict[str, Any]:
    """Every value of params.yaml by its key, as `scratch.epochs`."""
    return by_key(read_parameters())


def default_values() -> dict[str, Any]:
    """Every value of the embedded default by its key, as far as any profile sets it."""
    return by_key(read_parameters(PROFILES / f"{DEFAULT}.yaml"))


@dataclass(frozen=True)
class Changed:
    """params.yaml with other values, not written yet.

    Attributes:
        text: of the whole file.
        changes: a line per changed value: its key, the old and the new value.
        values: all of them by their keys.
        before: the text of the file until now.
    """

    text: str
    changes: list[str]
    values: Mapping[str, Any]
    before: str


def changed(overlays: Sequence[Overlay]) -> Changed:
    """Lay values over those of params.yaml; nothing is written.

    Raises:
        FlowError: a key that params.yaml does not have, or that of a whole section.
    """
    text = text_of(PARAMS)
    params = parameters_of(text, PARAMS, "rt")
    before = by_key(params)
    for overlay, source in overlays:
        _write_over(params, overlay, source)
    after = by_key(params)
    new = {key for key, value in after.items() if key not in before or not _is_same(before[key], value)}
    changes = [f"{key}: {_told(before.get(key))} -> {_told(value)}" for key, value in after.items() if key in new]
    return Changed(dump(params), changes, after, text)


def write(found: Changed) -> list[str]:
    """Write params.yaml, where anything changed.

    Returns:
        The changes.

    Raises:
        FlowError: somebody has edited it meanwhile.
    """
    if found.changes:
        if PARAMS.read_text(encoding="utf-8") != found.before:
            raise FlowError(f"{PARAMS}: edited meanwhile, so nothing was written to it: try again")
        write_whole(PARAMS, found.text)
    return found.changes


def _told(value: Any) -> Any:
    """A value as YAML writes it."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else value


def _nearest(key: str) -> str:
    """What somebody may have meant by a key that is none."""
    keys = list(current())
    last = key.rpartition(".")[2]
    found = [one for one in keys if one.rpartition(".")[2] == last] or difflib.get_close_matches(key, keys, 1)
    return f"; is {' or '.join(found[:5])} meant?" if found else ""


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
            raise FlowError(f"{source}: {name}: no such parameter in {PARAMS}{_nearest(name)}")
        if not above and isinstance(params[key], MutableMapping) and not isinstance(value, MutableMapping):
            raise FlowError(f"{source}: {name}: expected parameters of this section. Received: {value!r}")
        if isinstance(value, MutableMapping) and isinstance(params[key], MutableMapping):
            _write_over(params[key], value, source, f"{name}.")
        elif not _is_same(params[key], value):
            params[key] = value


def _is_same(one: Any, other: Any) -> bool:
    # To `split`, 1 is one image and 1.0 all of them.
    kinds = [(isinstance(value, bool), isinstance(value, float)) for value in (one, other)]
    return one == other and kinds[0] == kinds[1]
