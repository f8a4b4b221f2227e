"""Arrays with a row per image that need not fit into memory."""

import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

# Bytes of one array that may lie in memory. A training has two, beside the 1.9 GB of the convnet on 180 x 180 pixels.
MEMORY_BUDGET = 192 << 20
_reading = Lock()  # where a place in a file cannot be read without going there


class Rows:
    """A `.npy` file, read row by row where an array is asked for some of its rows.

    Not mapped into memory: all rows are used, in random order, and every page that was once used would count.

    Attributes:
        shape: of the whole array.
        dtype: of the whole array.
    """

    def __init__(self, file: Path) -> None:
        """Open the file.

        Raises:
            ValueError: the array lies in it column by column: rows would be read that it does not have.
        """
        mapped = np.load(file, mmap_mode="r")
        if not mapped.flags.c_contiguous:
            raise ValueError(f"{file}: expected an array that is written row by row, as `write_rows` does")
        self.shape, self.dtype, self._start = mapped.shape, mapped.dtype, mapped.offset
        self._row = mapped[:1].nbytes
        self._file = file.open("rb")

    def __len__(self) -> int:
        """Number of rows."""
        return self.shape[0]

    def __getitem__(self, rows: Any) -> np.ndarray:
        """One row or some, asked for as of an array: by a number, int (rows,), bool (all rows,) or a slice.

        Raises:
            IndexError: there is no such row.
        """
        # What numpy makes of the question: a place counted out by hand may lie outside the rows.
        wanted = np.arange(len(self))[rows]
        found = np.empty((wanted.size, *self.shape[1:]), self.dtype)
        for place, row in enumerate(wanted.ravel().tolist()):
            content = _read(self._file.fileno(), self._row, self._start + row * self._row)
            found[place] = np.frombuffer(content, self.dtype).reshape(self.shape[1:])
        return found.reshape((*wanted.shape, *self.shape[1:]))


def _read(file: int, count: int, start: int) -> bytes:
    """Bytes of an open file from a place on; threads share the file."""
    if sys.platform != "win32":
        return os.pread(file, count, start)
    with _reading:
        os.lseek(file, start, os.SEEK_SET)
        return os.read(file, count)


class Picked:
    """Some rows of several arrays, as one array: read when they are asked for.

    Attributes:
        shape: of the one array.
        dtype: of the one array.
    """

    def __init__(self, parts: "Sequence[Array]", picked: np.ndarray) -> None:
        """Pick rows by their numbers in all parts, one part after the other.

        Args:
            parts: arrays of one type and one shape of a row, at least one.
            picked: int64 (rows,).

        Raises:
            IndexError: there is no such row.
        """
        self.parts, self.picked = parts, np.arange(sum(map(len, parts)))[picked]
        self.shape: tuple[int, ...] = (len(self.picked), *parts[0].shape[1:])
        self.dtype: np.dtype[Any] = parts[0].dtype
        self._starts = np.cumsum([0, *(len(part) for part in parts)])

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.picked)

    def __getitem__(self, rows: Any) -> np.ndarray:
        """One row or some, asked for as of `Rows`."""
        wanted = self.picked[rows]
        found = np.empty((*wanted.shape, *self.shape[1:]), self.dtype)
        for start, part in zip(self._starts[:-1].tolist(), self.parts, strict=True):
            inside = (wanted >= start) & (wanted < start + len(part))
            found[inside] = part[wanted[inside] - start]
        return found


# What a training takes its batches from.
Array = np.ndarray | Rows | Picked


def joined(parts: Sequence[Array]) -> Picked:
    """All rows of several arrays, one array after the other, read when they are asked for."""
    return Picked(parts, np.arange(sum(map(len, parts))))


def write_rows(file: Path, shape: tuple[int, ...], dtype: Any, parts: Iterable[np.ndarray]) -> None:
    """Write a `.npy` file as its rows come, so that memory does not grow with their number.

    Args:
        file: to write.
        shape: of all rows together.
        dtype: of the array.
        parts: some rows each, in their order.

    Raises:
        ValueError: rows of another shape come, or another number of them: numpy would read those as other rows.
    """
    header = {"descr": np.lib.format.dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": shape}
    written = 0
    with file.open("wb") as target:
        np.lib.format.write_array_header_1_0(target, header)
        for part in parts:
            if part.shape[1:] != shape[1:]:
                raise ValueError(f"{file}: expected rows of shape {shape[1:]}. Received: {part.shape[1:]}")
            target.write(np.ascontiguousarray(part, dtype).data)
            written += len(part)
    if written != shape[0]:
        raise ValueError(f"{file}: expected {shape[0]:,} rows. Received: {written:,}")


def open_rows(file: Path) -> np.ndarray | Rows:
    """The array of a `.npy` file: in memory up to `MEMORY_BUDGET`, else read when it is asked for."""
    return np.load(file) if file.stat().st_size <= MEMORY_BUDGET else Rows(file)
