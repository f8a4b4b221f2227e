"""Arrays that need not fit into memory are read as those that do."""

import io
from pathlib import Path

import numpy as np
import pytest

from stages.lib.arrays import rows
from stages.lib.arrays.rows import Picked, Rows, open_rows, write_rows


@pytest.fixture
def array() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(20, 3, 2)).astype(np.float32)


@pytest.fixture
def file(tmp_path: Path, array: np.ndarray) -> Path:
    write_rows(tmp_path / "rows.npy", array.shape, np.float32, [array[:7], array[7:8], array[8:]])
    return tmp_path / "rows.npy"


def test_a_file_is_what_numpy_writes(file: Path, array: np.ndarray) -> None:
    saved = io.BytesIO()
    np.save(saved, array)
    assert file.read_bytes() == saved.getvalue()


def test_rows_come_as_from_an_array(file: Path, array: np.ndarray) -> None:
    found = Rows(file)
    assert (len(found), found.shape, found.dtype) == (20, array.shape, np.float32)
    for wanted in (np.array([3, 0, 19, 3], np.int32), np.arange(20), np.array([], np.int64)):
        np.testing.assert_array_equal(found[wanted], array[wanted])
    np.testing.assert_array_equal(found[5], array[5])


def test_a_file_above_the_budget_stays_where_it_is(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(open_rows(file), np.ndarray)
    monkeypatch.setattr(rows, "MEMORY_BUDGET", file.stat().st_size - 1)
    assert isinstance(open_rows(file), Rows)


def test_rows_are_picked_from_several_arrays(file: Path, array: np.ndarray) -> None:
    picked = np.array([25, 3, 21, 19, 20, 0])
    found = Picked([Rows(file), array[:0], array + 1], picked)
    whole = np.concatenate([array, array + 1])[picked]
    assert (len(found), found.shape, found.dtype) == (6, whole.shape, whole.dtype)
    np.testing.assert_array_equal(found[np.array([4, 0, 3])], whole[[4, 0, 3]])
