"""Saved models and presets looked at before Keras reads them: which files there are, where they lie, how large."""

import json
import re
import zipfile
from pathlib import Path
from typing import Any

from stages.lib.core.damage import check_expansion, readable
from stages.lib.core.errors import UserError
from stages.lib.networks.config_files import check_classes, check_kinds
from stages.lib.networks.weight_files import check_weights

METADATA, CONFIG, WEIGHTS = "metadata.json", "config.json", "model.weights.h5"
CONVERTER = "image_converter.json"
MOST_BYTES_OF_JSON = 16 << 20  # the configuration of a large backbone has 1 MB
MOST_BYTES_OF_WEIGHTS = 16 << 30
_JSON_OF_PRESET = (CONFIG, CONVERTER, METADATA)
_INDEX = "model.weights.json"
_SHARD = re.compile(r"model_\d{5}\.weights\.h5")


def check_model(file: Path) -> dict[str, Any]:
    """Look at a `.keras` file, of which Keras reads nothing before.

    Returns:
        Its metadata.

    Raises:
        UserError: damaged, other members than Keras writes, too large, or a class that is not Keras's or KerasHub's.
    """
    if not file.is_file():
        raise UserError(f"{file}: no saved model there")
    with readable(f"{file}"), zipfile.ZipFile(file) as archive:
        names = [info.filename for info in archive.infolist()]
        if sorted(names) != [CONFIG, METADATA, WEIGHTS]:
            raise UserError(
                f"{file}: expected a saved model of {CONFIG}, {METADATA} and {WEIGHTS}, found "
                f"{len(names)} members: {', '.join(names[:5])[:200]}"
            )
        for info in archive.infolist():
            place = f"{file}: {info.filename}"
            check_expansion(place, info.compress_size, info.file_size)
            _check_bytes(
                place, info.file_size, MOST_BYTES_OF_WEIGHTS if info.filename == WEIGHTS else MOST_BYTES_OF_JSON
            )
        metadata, config = (_parsed(f"{file}: {name}", archive.read(name)) for name in (METADATA, CONFIG))
        with archive.open(WEIGHTS) as weights:
            check_weights(f"{file}: {WEIGHTS}", weights, archive.getinfo(WEIGHTS).file_size)
    check_classes(f"{file}: {CONFIG}", config)
    return metadata


def check_preset(directory: Path) -> None:
    """Look at a preset directory, of which KerasHub reads nothing before.

    Raises:
        UserError: a file that is damaged, too large, or lies elsewhere; a class that is not Keras's or KerasHub's; or
            what is read here is of another kind than KerasHub writes.
    """
    for name in _JSON_OF_PRESET:
        if (directory / name).exists() or (directory / name).is_symlink():
            place = f"{directory / name}"
            content = _parsed(place, _inside(directory, name, MOST_BYTES_OF_JSON).read_bytes())
            check_classes(place, content)
            check_kinds(place, content, of_images=name == CONVERTER)
    for name in sorted(_weights_of(directory)):
        file = _inside(directory, name, MOST_BYTES_OF_WEIGHTS)
        with readable(f"{file}"), file.open("rb") as weights:
            check_weights(f"{file}", weights, file.stat().st_size)


def require_preset(directory: Path) -> None:
    """Refuse a directory that `backbone.preset` names and that is no preset, or none that may be read.

    Raises:
        UserError: a file is missing; or as `check_preset`.
    """
    # A large preset has its weights in several files, which an index names.
    sharded = (directory / _INDEX).is_file()
    files = (CONFIG, CONVERTER) if sharded else (CONFIG, WEIGHTS, CONVERTER)
    if missing := [file for file in files if not (directory / file).is_file()]:
        raise UserError(f"backbone.preset: {directory}: expected a KerasHub preset with {', '.join(missing)} in it")
    try:
        check_preset(directory)
    except UserError as error:
        raise UserError(f"backbone.preset: {error}") from None


def _parsed(place: str, content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{place}: damaged, or no JSON: {error}") from None
    if not isinstance(found, dict):
        raise UserError(f"{place}: expected a JSON object, found {type(found).__name__}")
    return found


def _inside(directory: Path, name: str, most: int) -> Path:
    """A file of a directory that is a regular file in it, not a link that leads out of it."""
    file = directory / name
    if not file.resolve().is_relative_to(directory.resolve()):
        raise UserError(f"{file}: a link out of the preset's directory: copy what it leads to in its place (cp -rL)")
    if not file.is_file():
        raise UserError(f"{file}: expected a file, found {'something else' if file.exists() else 'nothing'}")
    _check_bytes(f"{file}", file.stat().st_size, most)
    return file


def _weights_of(directory: Path) -> set[str]:
    """Names of the files with weights: one, or several that an index names."""
    if not (directory / _INDEX).is_file():
        return {WEIGHTS}
    index = _parsed(f"{directory / _INDEX}", _inside(directory, _INDEX, MOST_BYTES_OF_JSON).read_bytes())
    files = index.get("weight_map")
    named = [one for value in (files.values() if isinstance(files, dict) else ()) for one in _listed(value)]
    if not named or not all(isinstance(name, str) and _SHARD.fullmatch(name) for name in named):
        raise UserError(
            f"{directory / _INDEX}: expected names such as model_00000.weights.h5, found {str(named)[:200]}"
        )
    return set(named)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _check_bytes(place: str, found: int, most: int) -> None:
    if found > most:
        raise UserError(f"{place}: expected at most {most / 1e6:,.0f} MB, found {found / 1e6:,.0f}")
