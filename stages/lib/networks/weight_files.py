"""Files with the weights of a model, looked at before Keras reads them."""

from collections.abc import Iterator
from typing import IO

import h5py

from safety.words import first_line
from stages.lib.core.damage import check_expansion
from stages.lib.core.errors import UserError

MOST_ARRAYS = 100_000


def check_weights(place: str, file: IO[bytes], size: int) -> None:
    """Refuse an HDF5 file that reads other files, or that says of its arrays what its size does not explain.

    Args:
        place: for the error.
        file: open for reading.
        size: bytes of it.

    Raises:
        UserError: as above, or damaged.
    """
    try:
        with h5py.File(file, "r") as opened:
            total = sum(_bytes_of(place, array) for array in _arrays(place, opened))
    except (OSError, ValueError, KeyError, RuntimeError, TypeError, OverflowError) as error:
        # Of a KeyError the argument: as text it stands in quotation marks.
        reason = first_line(error.args[0] if error.args else error)
        raise UserError(f"{place}: damaged, or no weights: {reason}") from None
    check_expansion(place, size, total)


def _bytes_of(place: str, array: h5py.Dataset) -> int:
    if array.is_virtual or array.external:
        raise UserError(f"{place}: {array.name} lies in another file: not loaded")
    return int(array.size or 0) * array.dtype.itemsize


def _arrays(place: str, group: h5py.Group) -> Iterator[h5py.Dataset]:
    waiting, found = [group], 0
    while waiting:
        parent = waiting.pop()
        for name in parent:
            link = parent.get(name, getlink=True)
            if not isinstance(link, h5py.HardLink):
                raise UserError(f"{place}: {parent.name}/{name} is a link: not loaded")
            found += 1
            if found > MOST_ARRAYS:
                raise UserError(f"{place}: expected at most {MOST_ARRAYS:,} arrays, found more")
            node = parent[name]
            if isinstance(node, h5py.Dataset):
                yield node
            elif isinstance(node, h5py.Group):
                waiting.append(node)
