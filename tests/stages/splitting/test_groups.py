"""Groups by name, and two ways of grouping joined."""

from pathlib import Path

import numpy as np
import pytest

from stages.lib.core.errors import UserError
from stages.lib.splitting.keys import joined, numbered
from stages.lib.splitting.together import groups_of


def test_equal_names_are_one_group_and_those_without_none() -> None:
    assert numbered(["p1", "", "p2", "p1", ""]).tolist() == [0, 1, 2, 0, 3]
    assert numbered([]).dtype == np.int64


def test_joined_groups_are_whole_in_both_ways() -> None:
    copies, patients = np.array([0, 0, 1, -2, -3, 7]), np.array([5, 6, 6, 6, 4, 3])
    found = joined(copies, patients)
    assert found.dtype == np.int64
    assert [found.tolist().index(group) for group in found.tolist()] == [0, 0, 0, 0, 4, 5]


def test_an_image_that_is_gone_is_named(tmp_path: Path) -> None:
    """As of features that are older than the split, which `dvc repro --single-item` takes."""
    manifest, duplicates = tmp_path / "manifest.csv", tmp_path / "duplicates.csv"
    manifest.write_text("path,class,subset,group,sha256\na.png,x,train,p1,1\nb.png,x,train,p1,2\nc.png,x,train,,3\n")
    duplicates.write_text("group,path,sha256\n1,b.png,2\n1,c.png,3\n")
    assert groups_of(["c.png", "a.png", "b.png"], manifest, duplicates).tolist() == [0, 0, 0]
    with manifest.open("a") as file:
        file.write("e.png,x,train,,4\nf.png,x,train,,5\n")
    found = groups_of(["f.png", "a.png", "e.png", "b.png"], manifest, duplicates).tolist()
    assert [found.index(group) for group in found] == [0, 1, 2, 1], "in the order of the names; others are alone"
    with pytest.raises(UserError, match=r"manifest\.csv: expected the images .* found no d\.png: run `smallset run`"):
        groups_of(["a.png", "d.png"], manifest, duplicates)
