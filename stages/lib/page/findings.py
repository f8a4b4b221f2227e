"""Images worth a look: copies side by side, likely mislabelled, darkest, brightest, least sharp."""

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from stages.lib.comparison.evaluations import Results
from stages.lib.page.data import records
from stages.lib.page.thumbnails import embedded_all

GROUPS = 12  # groups of copies shown
MEMBERS = 6  # images shown of a group
SUSPECTS = 24  # likely mislabelled images shown
EXTREMES = 8  # darkest, brightest and least sharp images shown


@dataclass(frozen=True)
class Shown:
    """An image with what its table says of it.

    Attributes:
        address: the image itself.
    """

    row: dict[str, Any]
    address: str


@dataclass(frozen=True)
class Group:
    """Copies of one image.

    Attributes:
        labels: their classes, more than one if they contradict.
        left_out: not shown.
    """

    number: str
    kind: str
    labels: list[str]
    images: list[Shown]
    left_out: int


@dataclass(frozen=True)
class Copies:
    """Groups of copies, those with contradicting classes first. The other figures are of all groups."""

    groups: list[Group]
    left_out: int
    contradicting: int
    files: int


@dataclass(frozen=True)
class Suspects:
    """Likely mislabelled images, the most suspicious first.

    Attributes:
        total: of all, shown or not.
        in_test: of all, shown or not.
    """

    images: list[Shown]
    total: int
    in_test: int


def copies(duplicates: Path, archive: Path) -> Copies:
    """Groups of copies, with images out of the archive.

    Args:
        duplicates: table of copies, from the stage `split`.
        archive: the raw images, of which some copies are in no subset.
    """
    table = pd.read_csv(duplicates, dtype=str, na_filter=False)
    classes = table.groupby("group", sort=False)["class"].nunique()
    shown = classes.index[np.argsort(classes == 1, kind="stable")][:GROUPS]
    with zipfile.ZipFile(archive) as opened:
        groups = [_group(str(number), table[table["group"] == number], opened) for number in shown]
    return Copies(groups, len(classes) - len(groups), int((classes > 1).sum()), len(table))


def suspects(labels: Path, dataset: Path, results: Results) -> Suspects:
    """Likely mislabelled images; of test images also how many models, none trained on them, say the same.

    Rows get `agreeing`, the number of models that predict the suggested class: None of other subsets.

    Args:
        labels: table of the stage `label_issues`; it need not be there yet.
        dataset: what the paths of images start from.
        results: of all models.
    """
    if not labels.is_file():
        # The page of a run that is still at work.
        return Suspects([], 0, 0)
    kinds = dict.fromkeys(("path", "class", "subset", "suggested"), str)
    table = pd.read_csv(labels, dtype=kinds, na_filter=False)
    predicted = [one.predictions.set_index("path")["predicted"] for one in results.evaluations]
    rows = records(table.head(SUSPECTS))
    for row in rows:
        tested = row["subset"] == "test"
        row["agreeing"] = sum(one.get(row["path"]) == row["suggested"] for one in predicted) if tested else None
    return Suspects(_shown(rows, dataset), len(table), int((table["subset"] == "test").sum()))


def extremes(manifest: pd.DataFrame, dataset: Path) -> dict[str, list[Shown]]:
    """The darkest, the brightest and the least sharp images, with rows of the manifest.

    Args:
        manifest: table of the images.
        dataset: what its paths start from.
    """
    orders = {
        "Darkest": ("brightness", True),
        "Brightest": ("brightness", False),
        "Least sharp": ("sharpness", True),
    }
    return {
        title: _shown(records(manifest.sort_values([key, "path"], ascending=[ascending, True]).head(EXTREMES)), dataset)
        for title, (key, ascending) in orders.items()
    }


def _group(number: str, rows: pd.DataFrame, archive: zipfile.ZipFile) -> Group:
    shown = records(rows.head(MEMBERS))
    addresses = embedded_all([archive.read(row["path"]) for row in shown])
    kind = "equal files" if set(rows["kind"]) == {"exact"} else "near copies"
    images = [Shown(row, address) for row, address in zip(shown, addresses, strict=True)]
    return Group(number, kind, sorted(rows["class"].unique()), images, len(rows) - len(shown))


def _shown(rows: list[dict[str, Any]], dataset: Path) -> list[Shown]:
    addresses = embedded_all(dataset / row["path"] for row in rows)
    return [Shown(row, address) for row, address in zip(rows, addresses, strict=True)]
