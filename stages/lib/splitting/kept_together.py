"""Which images of the dataset belong together, by the tables that `split` wrote."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from stages.lib.splitting.keys import joined, numbered

_KEPT = "kept in "


def kept_together(names: Sequence[str], duplicates: Path, manifest: pd.DataFrame) -> np.ndarray:
    """Groups of images of which none may be judged by a model that knows another one: copies, and `split.group`.

    Args:
        names: of the images, relative to the dataset.
        duplicates: table of copies, from the stage `split`.
        manifest: table of the images, from the same stage.

    Returns:
        int64 (images,): equal for copies and within a group.
    """
    table = pd.read_csv(duplicates, dtype={"path": str, "class": str, "action": str}, na_filter=False)
    kept = table[table["action"].str.startswith(_KEPT)]
    files = kept["path"].map(lambda path: PurePosixPath(path).name)
    # Files of one name, which `split` renames, are not found again: at worst a copy judges its copy.
    paths = kept["action"].str.removeprefix(_KEPT) + "/" + kept["class"] + "/" + files
    known = dict(zip(paths, kept["group"], strict=True))
    copies = np.array([known.get(name, -1 - index) for index, name in enumerate(names)], np.int64)
    groups = manifest.set_index("path")["group"]
    return joined(copies, numbered(groups[list(names)].tolist()))
