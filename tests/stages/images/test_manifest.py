"""`stages.lib.images.manifest`: what labels are, and what was made with other classes is told by what differs."""

from pathlib import Path

import numpy as np
import pytest

from stages.lib.core.errors import UserError
from stages.lib.images.manifest import Subset, read_subsets, require_classes


def images(classes: list[str]) -> Subset:
    return Subset([], [], [], np.array([], np.int64), classes)


MANY = [f"c{number:02}" for number in range(30)]


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (["a", "c"], "the images: a, b. Received: a, c; "),
        (["b", "a"], "the images: a, b. Received: b, a; "),
        (["a"], "the images: a, b. Received: a; "),
    ],
)
def test_few_classes_are_told_all(found, told):
    with pytest.raises(UserError, match=told):
        require_classes(images(["a", "b"]), found, "model")


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (["x", *MANY[1:]], f"the images: {', '.join(MANY[:20])}, .... Received: x, {', '.join(MANY[1:20])}, ...;"),
        ([*MANY[:29], "x"], "the images, from number 30 on: c29. Received: x;"),
        (MANY[:29], "the images, from number 30 on: c29. Received: none;"),
        ([*MANY, "x"], "the images, from number 31 on: none. Received: x;"),
    ],
)
def test_of_many_the_first_that_differs_is_among_those_told(found, told):
    with pytest.raises(UserError) as raised:
        require_classes(images(MANY), found, "model")
    assert told in str(raised.value)


def test_the_same_classes_are_taken():
    require_classes(images(MANY), tuple(MANY), "model")


def test_labels_are_numbers_of_sorted_classes_though_their_folders_are_sorted_otherwise(tmp_path):
    """A hyphen comes before the slash: `test/cat-1/0.png` before `test/cat/0.png`."""
    paths = sorted(f"{subset}/{label}/0.png" for subset in ("test", "train") for label in ("ant", "cat", "cat-1"))
    rows = [f"{path},{path.split('/')[1]},{path.split('/')[0]},,{path}" for path in paths]
    (tmp_path / "manifest.csv").write_text("\n".join(["path,class,subset,group,sha256", *rows]))
    subsets = ("train", "test")
    for name, images in zip(subsets, read_subsets(Path(), tmp_path / "manifest.csv", *subsets), strict=True):
        assert images.classes == ["ant", "cat", "cat-1"]
        assert images.names == [f"{name}/{label}/0.png" for label in ("ant", "cat-1", "cat")]
        assert images.labels.tolist() == [0, 2, 1]
