"""Arrays that need not fit into memory are read as those that do."""

import io
from pathlib import Path
from typing import Any

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
    every = np.array([3, 0, 19, 3], np.int32), np.arange(20), np.array([], np.int64), np.array([-1, 2])
    for wanted in (*every, np.arange(20) > 16, slice(3, 9, 2), 5, -1, np.int64(19)):
        np.testing.assert_array_equal(found[wanted], array[wanted])
        np.testing.assert_array_equal(Picked([found], np.arange(20))[wanted], array[wanted])
    np.testing.assert_array_equal(np.asarray(found), array)


def test_an_array_of_numbers_alone_is_read_too(tmp_path: Path) -> None:
    np.save(tmp_path / "rows.npy", numbers := np.arange(5))
    found = Rows(tmp_path / "rows.npy")
    for wanted in (2, slice(None), [0, -1], numbers > 2):
        np.testing.assert_array_equal(found[wanted], numbers[wanted])


def test_an_array_that_lies_in_the_file_by_columns_is_refused(tmp_path: Path, array: np.ndarray) -> None:
    np.save(tmp_path / "rows.npy", np.asfortranarray(array))
    with pytest.raises(ValueError, match="row by row"):
        Rows(tmp_path / "rows.npy")


@pytest.mark.parametrize("wanted", [20, -21, np.array([3, 20])], ids=str)
def test_a_row_that_is_not_there_is_an_error(file: Path, wanted: Any) -> None:
    for found in (Rows(file), Picked([Rows(file)], np.arange(20))):
        with pytest.raises(IndexError):
            found[wanted]
    with pytest.raises(IndexError):
        Picked([Rows(file)], np.atleast_1d(wanted))


@pytest.mark.parametrize("parts", [[np.zeros((3, 2))], [np.zeros((4, 2)), np.zeros((1, 2))], [np.zeros((2, 4))]])
def test_other_rows_than_the_file_has_room_for_are_not_written(tmp_path: Path, parts: list[np.ndarray]) -> None:
    with pytest.raises(ValueError, match="rows"):
        write_rows(tmp_path / "rows.npy", (4, 2), np.float32, parts)


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
