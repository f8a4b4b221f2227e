"""A few test images that a model got right and wrong, with heat over what speaks for its answers."""

from pathlib import Path

import keras
import matplotlib as mpl
import numpy as np
import pandas as pd
from PIL import Image

from stages.lib.evaluation.columns import EXPLANATIONS
from stages.lib.evaluation.heat import heat_of, spread
from stages.lib.images.decode import stream
from stages.lib.images.resizing import Resizing
from stages.lib.inference import predictions
from stages.lib.networks.saved_model import input_of

_SIDE = 160  # pixels
_BATCH = 16  # images per pass
_STRENGTH = 0.65  # share of the colour where the heat is 1
# Perceptually uniform, told apart by colour-blind people as well, and strong on white fur and on black.
_COLORS = mpl.colormaps["plasma"]


def overlay(image: np.ndarray, heat: np.ndarray, side: int) -> Image.Image:
    """An image with heat over it: the hotter, the stronger the colour; cold parts stay clear.

    Args:
        image: uint8 (height, width, 3) or (height, width, 1).
        heat: float32, 2-D, in [0, 1]; covers the image.
        side: height and width of the result in pixels.
    """
    shown = Image.fromarray(image.squeeze(-1) if image.shape[-1] == 1 else image).convert("RGB")
    pixels = np.asarray(shown.resize((side, side), Image.Resampling.BICUBIC), np.float32)
    resized = Image.fromarray(heat.astype(np.float32)).resize((side, side), Image.Resampling.BICUBIC)
    strength = np.asarray(resized).clip(0, 1)[..., np.newaxis]
    colors = 255 * _COLORS(strength[..., 0])[..., :3]
    share = _STRENGTH * strength
    return Image.fromarray((pixels * (1 - share) + colors * share).round().astype(np.uint8))


def choose(table: pd.DataFrame, right: np.ndarray, count: int) -> pd.DataFrame:
    """Which test images are explained: at most `count` wrong ones and then `count` right ones.

    Of the wrong ones the most confident, which are the errors worth a look. Of the right ones, a class after the
    other, those whose confidence is nearest the median of their class: typical images, where the most confident
    would be the easiest. Ties go by path.

    Args:
        table: predictions, with path, label, predicted and `p_<class>`.
        right: bool (images,).
        count: of wrong images, and of right ones.

    Returns:
        path, label, predicted, confidence: the probability of the predicted class.
    """
    found = table[["path", "label", "predicted"]].assign(confidence=predictions.probabilities_of(table).max(axis=1))
    wrong = found[~right].sort_values(["confidence", "path"], ascending=[False, True])
    good = found[right]
    median = good.groupby("label")["confidence"].transform("quantile", interpolation="lower")
    good = good.assign(distance=(good["confidence"] - median).abs()).sort_values(["distance", "path"])
    good = good.assign(turn=good.groupby("label").cumcount()).sort_values(["turn", "label"])
    return pd.concat([wrong.head(count), good.head(count)[list(found)]], ignore_index=True)


def write(
    directory: Path, model: keras.Model, dataset: Path, table: pd.DataFrame, count: int, resizing: Resizing
) -> None:
    """Write the images that `choose` chose with their heat, and index.csv: file, path, label, predicted, confidence.

    Args:
        directory: is made.
        model: that is explained.
        dataset: what the paths of `table` start from.
        table: its predictions of the test images.
        count: as of `choose`.
        resizing: how the model's images get its size.

    Raises:
        BrokenImage: one of the files cannot be decoded; its name comes first.
    """
    directory.mkdir(parents=True, exist_ok=True)
    chosen = choose(table, (table["label"] == table["predicted"]).to_numpy(), count)
    chosen.insert(0, "file", [f"{number}.jpg" for number in range(1, len(chosen) + 1)])
    names = predictions.classes_of(table)
    classes = [names.index(name) for name in chosen["predicted"]]
    size, color = input_of(model)
    paths = [dataset / path for path in chosen["path"]]
    for number, images in enumerate(stream(paths, size, color, _BATCH, resizing=resizing)):
        batch = slice(number * _BATCH, (number + 1) * _BATCH)
        heats = spread(model, heat_of(model, images, classes[batch]))
        for file, image, heat in zip(chosen["file"][batch], images, heats, strict=True):
            overlay(image, heat, _SIDE).save(directory / file, quality=85)
    chosen.to_csv(directory / "index.csv", columns=list(EXPLANATIONS), index=False, float_format="%.7g")
