"""Which images belong together, read back from what the stage `split` wrote."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from stages.lib.splitting.keys import joined, numbered

_KEPT = "kept in "


def groups_of(names: Sequence[str], duplicates: Path, images: pd.DataFrame) -> np.ndarray:
    """Number images so that copies, and those of one group (`split.group`), have the same number.

    Args:
        names: paths relative to the dataset.
        duplicates: table of copies, from the stage `split`.
        images: the manifest, with `path` as its index and the column `group`.

    Returns:
        int64 (images,).
    """
    table = pd.read_csv(duplicates, dtype={"path": str, "class": str, "action": str}, na_filter=False)
    kept = table[table["action"].str.startswith(_KEPT)]
    files = kept["path"].map(lambda path: PurePosixPath(path).name)
    # Files of one name, which `split` renames, are not found again: at worst a copy judges its copy.
    paths = kept["action"].str.removeprefix(_KEPT) + "/" + kept["class"] + "/" + files
    known = dict(zip(paths, kept["group"], strict=True))
    copies = np.array([known.get(name, -1 - index) for index, name in enumerate(names)], np.int64)
    return joined(copies, numbered(images["group"][list(names)].tolist()))
