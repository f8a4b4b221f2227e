"""The places that speak for a prediction, laid over the image."""

import csv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from smallset.explanation.occlusion import occlusion
from smallset.inference.classifier import Classifier
from smallset.inference.results import Prediction
from smallset.tables.writers import class_for_spreadsheets, path_for_spreadsheets

INDEX = "index.csv"
_AT_ONCE = 16  # images in memory at once
_SIDE = 320  # pixels of what is shown
_STRENGTH = 0.65  # share of the colour where the heat is 1
# Dark blue over red to yellow, each lighter than the one before, so that colour-blind people can tell them.
_COLORS = np.array([(20, 10, 120), (130, 10, 160), (210, 70, 110), (250, 150, 50), (245, 245, 60)], np.float32)
# The least of a probability, and of what is left over: float32 knows nothing nearer to 1.
_LEAST = 2.0**-24


def heat_of(classifier: Classifier, pixels: np.ndarray, label: str) -> np.ndarray:
    """How much a class becomes less likely where a place is covered (`occlusion`), for any model, without gradients.

    Args:
        classifier: that is explained.
        pixels: of one image, as `classifier.read` gives them.
        label: the class.

    Returns:
        float32 (cells, cells) in [0, 1], the most divided by itself; all 0 where no place matters.
    """
    place = classifier.classes.index(label)

    def log_odds(images: np.ndarray) -> np.ndarray:
        parts = np.array_split(images, -(-len(images) // _AT_ONCE))
        found = np.concatenate([classifier.probabilities(part) for part in parts])
        # Of a sure class, what the others have together is exact where 1 - p is not.
        likely, others = found[:, [place]], np.delete(found, place, axis=1).sum(axis=1, keepdims=True)
        return np.log(np.maximum(likely, _LEAST)) - np.log(np.maximum(others, _LEAST))

    return occlusion(log_odds, pixels[np.newaxis], np.zeros(1, int))[0]


def overlay(pixels: np.ndarray, heat: np.ndarray) -> Image.Image:
    """An image with heat over it: the hotter, the stronger the colour; cold parts stay clear.

    Args:
        pixels: uint8 (size, size, channels), as a model takes them.
        heat: float32, 2-D, in [0, 1]; covers the image.
    """
    image = Image.fromarray(pixels.squeeze(-1) if pixels.shape[-1] == 1 else pixels).convert("RGB")
    shown = np.asarray(image.resize((_SIDE, _SIDE), Image.Resampling.BICUBIC), np.float32)
    spread = Image.fromarray(heat.astype(np.float32)).resize((_SIDE, _SIDE), Image.Resampling.BICUBIC)
    strength = np.asarray(spread).clip(0, 1)
    places = np.linspace(0, 1, len(_COLORS))
    colors = np.stack([np.interp(strength, places, channel) for channel in _COLORS.T], axis=-1)
    share = _STRENGTH * strength[..., np.newaxis]
    return Image.fromarray((shown * (1 - share) + colors * share).round().astype(np.uint8))


@contextmanager
def explaining(folder: Path, classifier: Classifier) -> Iterator[Callable[[Prediction], None]]:
    """Yield a function that writes an image with the heat of its predicted class, and at the end `index.csv`.

    Files are called 1.jpg and on, since names of images may be anything; `index.csv` has file, path, predicted,
    the decision where there are limits, probability, and whether any place mattered.

    Args:
        folder: is there and empty.
        classifier: that has predicted the images.
    """
    with (folder / INDEX).open("w", encoding="utf-8", newline="") as opened:
        index, count = csv.writer(opened, lineterminator="\n", quoting=csv.QUOTE_ALL), 0
        decided = classifier.description.decisions is not None
        index.writerow(["file", "path", "predicted", *["decision"] * decided, "probability", "explained"])

        def explain(one: Prediction) -> None:
            nonlocal count
            count += 1
            pixels = classifier.read(one.path or "")
            heat = heat_of(classifier, pixels, one.label)
            overlay(pixels, heat).save(folder / f"{count}.jpg", quality=90)
            found = "yes" if heat.any() else "no"
            names = path_for_spreadsheets(one.path or ""), class_for_spreadsheets(one.label)
            decision = [one.decision or ""] * decided
            index.writerow([f"{count}.jpg", *names, *decision, f"{one.probability:.7g}", found])

        yield explain
