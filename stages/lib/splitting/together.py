"""Which images belong together, read back from what the stage `split` wrote."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from safety.words import first_few
from stages.lib.core.errors import UserError
from stages.lib.images.manifest import copies_among, read_manifest
from stages.lib.splitting.keys import joined, numbered


def groups_of(names: Sequence[str], manifest: Path, duplicates: Path) -> np.ndarray:
    """Number images so that copies, and those of one group (`split.group`), have the same number.

    Args:
        names: paths relative to the dataset.
        manifest: table of the images, from the stage `split`.
        duplicates: table of copies, from the same stage.

    Returns:
        int64 (images,).

    Raises:
        UserError: an image is not in the manifest any more.
    """
    table = pd.read_csv(duplicates, dtype={"sha256": str}, na_filter=False)
    images = read_manifest(manifest).set_index("path")
    if gone := [name for name in names if name not in images.index]:
        raise UserError(
            f"{manifest}: expected the images that there are features of, found no {first_few(gone, 3)}: run "
            "`smallset run` again"
        )
    own = images.loc[list(names)]
    return joined(copies_among(own, table), numbered(own["group"].tolist()))
