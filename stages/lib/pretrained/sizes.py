"""A backbone that is built for images of one size, built for another."""

import keras
import keras_hub
import numpy as np
from keras import ops

from safety.words import first_line
from stages.lib.core.errors import UserError
from stages.lib.networks.tokens import image_shape

_INTERPOLATED = "interpolated_"  # DINOv2 holds its position embeddings twice


def resized(backbone: keras_hub.models.Backbone, size: int) -> keras_hub.models.Backbone:
    """The same backbone for images of a size, where it is built for another one; what depends on it is interpolated.

    Position embeddings of patches are laid out as the map that they stand for and resized, bicubic (Dosovitskiy et al.
    2021, section 3.2); those of class tokens stay. All other weights are the same.

    Args:
        backbone: with its weights; stays as it is.
        size: height and width in pixels.

    Raises:
        UserError: the backbone cannot be built for this size; where multiples are needed, those beside it are named.
    """
    if image_shape(backbone) == (size, size):
        return backbone
    _require_multiple(backbone, size)
    if image_shape(backbone) == (None, None):
        return backbone
    shape = (size, size, 3)
    config = backbone.get_config()
    # A key that a class does not know is lost without a word: EfficientNet calls it otherwise.
    changed = {"image_shape" if "image_shape" in config else "input_shape": shape}
    if hasattr(backbone, "position_embedding_shape"):
        # So that KerasHub has nothing left to interpolate, which it does at each load and undoes at each saving.
        changed["position_embedding_shape"] = shape
    try:
        new = type(backbone).from_config(config | changed)
        if image_shape(new) != (size, size):
            raise ValueError("its size is none of its configuration")
        olds = backbone.weights
        whole = {weight.path.rsplit("/", 1)[-1]: weight for weight in olds}
        for old, weight in zip(olds, new.weights, strict=True):
            name = old.path.rsplit("/", 1)[-1]
            source = whole[name.removeprefix(_INTERPOLATED)] if name.startswith(_INTERPOLATED) else old
            weight.assign(_fitted(source, weight, backbone, new))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(
            f"common.image_size: {type(backbone).__name__} cannot be built for {size} x {size}: "
            f"{first_line(error).rstrip('.')}"
        ) from None
    return new


def _require_multiple(backbone: keras_hub.models.Backbone, size: int) -> None:
    """Refuse a size of which no whole number of patches, or of windows of patches in every stage, fits in."""
    patch = getattr(backbone, "patch_size", None)
    if patch is None:
        return
    step = int(np.lcm.reduce(np.atleast_1d(patch)))
    what = f"patches of {step} pixels"
    if isinstance(backbone, keras_hub.models.SwinTransformerBackbone):
        # Each stage but the last joins 2 x 2 patches; a window that is not full would need padding, which was not
        # there in the training.
        step *= backbone.window_size * 2 ** (len(backbone.depths) - 1)
        what = f"windows of {backbone.window_size} x {backbone.window_size} patches in {len(backbone.depths)} stages"
    if size % step:
        beside = " or ".join(str(one) for one in (size // step * step, -(-size // step) * step) if one)
        raise UserError(
            f"common.image_size: expected a multiple of {step} for the {what} of {type(backbone).__name__}, such as "
            f"{beside}. Received: {size}"
        )


def _fitted(
    old: keras.Variable, new: keras.Variable, before: keras_hub.models.Backbone, after: keras_hub.models.Backbone
) -> np.ndarray:
    """The values of a weight of one backbone for the same weight of the other."""
    values = ops.convert_to_numpy(old)
    if tuple(old.shape) == tuple(new.shape):
        return values
    if "int" in str(new.dtype):
        return ops.convert_to_numpy(new)  # The numbers of the positions.
    smooth = getattr(before, "antialias_in_interpolation", True)
    if "rel_pos" in new.path and len(new.shape) == 2:
        return _stretched(values[np.newaxis], (1, new.shape[0]), smooth)[0]
    if "pos" not in new.path:
        raise ValueError(f"the size of {new.path} depends on that of the images")
    if len(new.shape) == 4:
        return _stretched(values[0], tuple(new.shape[1:3]), smooth)[np.newaxis]
    rows = values.reshape(-1, values.shape[-1])
    old_grid = _grid(before, getattr(before, "position_embedding_shape", None) or before.image_shape)
    new_grid = _grid(after, after.image_shape)
    own = len(rows) - old_grid[0] * old_grid[1]  # of a class token and others beside those of patches
    patches = _stretched(rows[own:].reshape(*old_grid, -1), new_grid, smooth)
    return np.concatenate([rows[:own], patches.reshape(-1, rows.shape[1])]).reshape(new.shape)


def _grid(backbone: keras_hub.models.Backbone, shape: tuple[int, ...]) -> tuple[int, int]:
    height, width = np.broadcast_to(backbone.patch_size, 2)
    return shape[0] // int(height), shape[1] // int(width)


def _stretched(values: np.ndarray, size: tuple[int, int], smooth: bool) -> np.ndarray:
    """Resize float32 (height, width, channels) to (*size, channels), bicubic."""
    found = ops.image.resize(values, size, "bicubic", antialias=smooth, data_format="channels_last")
    return ops.convert_to_numpy(found)
