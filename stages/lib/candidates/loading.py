"""A preset as a candidate: an error names it among the others."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import keras

from stages.lib.candidates.cost import multiply_adds
from stages.lib.candidates.slots import Candidate
from stages.lib.core.errors import UserError
from stages.lib.core.params import Pooling
from stages.lib.networks import pooling_file, tokens
from stages.lib.networks.build import feature_extractor
from stages.lib.pretrained import presets


def look(name: str, asked: int | None, pooling: Pooling) -> int:
    """Make sure that a preset is there and takes such images, without fetching its weights.

    Args:
        name: as `presets.load` takes it.
        asked: height and width of the images in pixels; None takes those that the preset is made for.
        pooling: `backbone.pooling`.

    Returns:
        Height and width of the images that it will get, in pixels.

    Raises:
        UserError: naming the candidate.
    """
    with _named(name):
        _, _, size = _built(name, asked, pooling, weights=False)
    # Layers get the names that they would have had without this look.
    keras.utils.clear_session()
    return size


def take(name: str, asked: int | None, pooling: Pooling, directory: Path) -> Candidate:
    """Save a preset to an existing directory, as the stage `backbone` does, and say what it costs.

    Args:
        name: as `presets.load` takes it.
        asked: as `look` takes it.
        pooling: `backbone.pooling`.
        directory: exists and is empty.

    Raises:
        UserError: naming the candidate.
    """
    with _named(name):
        built, own, size = _built(name, asked, pooling, weights=True)
        presets.save(built, directory)
        pooling_file.write(directory, pooling)
        extractor = feature_extractor(directory, size, "float32")
    parameters = extractor.count_params()
    return Candidate(
        preset=name,
        image_size=size,
        own_size=own,
        parameters=parameters,
        multiply_adds=multiply_adds(extractor),
        megabytes=4 * parameters / 1e6,
        channels=extractor.output_shape[-1],
    )


def _built(name: str, asked: int | None, pooling: Pooling, weights: bool) -> tuple[presets.Preset, int | None, int]:
    """The preset, the size of the images that it was made for, and the size for which it is built now."""
    loaded = presets.load(name, weights)
    own, size = presets.size_of(loaded), presets.input_size(loaded, asked)
    built = presets.for_size(loaded, size)
    tokens.check(built[0], pooling)
    return built, own, size


@contextmanager
def _named(name: str) -> Iterator[None]:
    try:
        yield
    except UserError as error:
        message = str(error).removeprefix("backbone.preset: ")
        said = "" if repr(name) in message else f"{name!r}: "
        raise UserError(f"backbone.candidates: {said}{message}") from error
