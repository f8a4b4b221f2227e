"""A preset as a candidate: an error names it among the others."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import keras

from stages.lib.candidates.cost import multiply_adds
from stages.lib.candidates.slots import Candidate
from stages.lib.core.errors import UserError
from stages.lib.networks.build import feature_extractor
from stages.lib.pretrained import presets


def look(name: str, asked: int | None) -> int:
    """Make sure that a preset is there and takes such images, without fetching its weights.

    Args:
        name: as `presets.load` takes it.
        asked: height and width of the images in pixels; None takes those that the preset is made for.

    Returns:
        Height and width of the images that it will get, in pixels.

    Raises:
        UserError: naming the candidate.
    """
    with _named(name):
        size = presets.input_size(presets.load(name, weights=False), asked)
    # Layers get the names that they would have had without this look.
    keras.utils.clear_session()
    return size


def take(name: str, asked: int | None, directory: Path) -> Candidate:
    """Save a preset to an existing directory, and say what it costs.

    Args:
        name: as `presets.load` takes it.
        asked: as `look` takes it.
        directory: exists and is empty.

    Raises:
        UserError: naming the candidate.
    """
    with _named(name):
        loaded = presets.load(name)
        size = presets.input_size(loaded, asked)
        presets.save(loaded, directory)
    extractor = feature_extractor(directory, size, "float32")
    parameters = extractor.count_params()
    return Candidate(
        preset=name,
        image_size=size,
        own_size=presets.size_of(loaded),
        parameters=parameters,
        multiply_adds=multiply_adds(extractor),
        megabytes=4 * parameters / 1e6,
        channels=extractor.output_shape[-1],
    )


@contextmanager
def _named(name: str) -> Iterator[None]:
    try:
        yield
    except UserError as error:
        message = str(error).removeprefix("backbone.preset: ")
        said = "" if repr(name) in message else f"{name!r}: "
        raise UserError(f"backbone.candidates: {said}{message}") from error
