"""What the report says about the data: classes, sizes, and files that were left out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator

from stages.lib.images.manifest import SUBSETS
from stages.lib.page.style import TEXT, figure, svg

CLASSES = 60  # classes listed
SIZES = 6  # image sizes listed
REJECTED = 50  # rejected files listed
_BINS = 24
_COLORS = ("#0072B2", "#D55E00")


@dataclass(frozen=True)
class Balance:
    """Images per class and subset.

    Attributes:
        table: index class, columns train, validation, test.
        left_out: classes that are not listed, the smaller ones.
        sums: images per subset.
        largest: images of the largest class of any subset.
    """

    table: pd.DataFrame
    left_out: int
    sums: dict[str, int]
    largest: int


@dataclass(frozen=True)
class Sizes:
    """How large the images are.

    Attributes:
        common: width, height, images, share; the most frequent sizes.
        different: sizes there are.
        smaller: images with a side below the models' input. Padded ones are enlarged only where both sides are.
        chart: None if all are of one size.
    """

    common: pd.DataFrame
    different: int
    smaller: int
    chart: str | None


@dataclass(frozen=True)
class Listed:
    """The first rows of a table, and how many more there are."""

    rows: list[dict[str, Any]]
    left_out: int


def balance(manifest: pd.DataFrame) -> Balance:
    """Count images per class and subset."""
    counts = pd.crosstab(manifest["class"], manifest["subset"]).reindex(columns=list(SUBSETS), fill_value=0)
    table = counts
    if len(counts) > CLASSES:
        largest = counts.sum(axis=1).sort_values(ascending=False, kind="stable").head(CLASSES)
        table = counts.loc[largest.index]
    sums: dict[str, int] = {subset: int(counts[subset].sum()) for subset in SUBSETS}
    return Balance(table, len(counts) - len(table), sums, int(counts.to_numpy().max()))


def sizes(manifest: pd.DataFrame, image_size: int) -> Sizes:
    """Count images by width and height, in pixels.

    Args:
        manifest: table of the images.
        image_size: height and width of the models' input.
    """
    counts = manifest.groupby(["width", "height"]).size().rename("images").reset_index()
    counts["share"] = counts["images"] / len(manifest)
    common = counts.sort_values(["images", "width", "height"], ascending=[False, True, True]).head(SIZES)
    smaller = int((manifest[["width", "height"]].min(axis=1) < image_size).sum())
    return Sizes(common, len(counts), smaller, _sizes_chart(manifest) if len(counts) > 1 else None)


def listed(file: Path, most: int) -> Listed:
    """The first `most` rows of a table, as text."""
    table = pd.read_csv(file, dtype=str, na_filter=False)
    return Listed(records(table.head(most)), max(0, len(table) - most))


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table, by the names of its columns."""
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def _sizes_chart(manifest: pd.DataFrame) -> str:
    sides = {key: manifest[key].to_numpy(np.float64) for key in ("width", "height")}
    low, high = (float(bound) for bound in (min(map(np.min, sides.values())), max(map(np.max, sides.values()))))
    edges = np.linspace(low, high, _BINS + 1).tolist()
    with figure(4.6, 2.6) as drawn:
        axes = drawn.subplots()
        for (side, values), color, fill in zip(sides.items(), _COLORS, (True, False), strict=True):
            axes.hist(values, edges, histtype="stepfilled" if fill else "step", color=color, label=side, linewidth=1.8)
        axes.set_xlabel("pixels")
        axes.set_ylabel("images")
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.grid(axis="y", color=TEXT)
        drawn.legend(loc="outside upper left", ncols=2)
        ranges = ", ".join(f"{side} {values.min():.0f} to {values.max():.0f}" for side, values in sides.items())
        return svg(drawn, "sizes", f"Image sizes in pixels: {ranges}")
