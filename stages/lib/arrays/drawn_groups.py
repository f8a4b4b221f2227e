"""Some of many images, drawn by whole groups: what is drawn is to the rest as a smaller folder of the same kind."""

import numpy as np
import pandas as pd

_PIECES = 10  # of what is wanted of a class: a larger group is drawn in pieces, else it would be all or be missing


def drawn_groups(labels: np.ndarray, groups: np.ndarray, wanted: np.ndarray, different: int, seed: int) -> np.ndarray:
    """Draw so many images of each class, group by group, each group with all its classes.

    Images one by one would be of more groups, each with fewer images: more different than as many images of this kind
    are, so that what is learned from them looks better than it is. A group of more than a tenth of what is wanted of a
    class is drawn in pieces of that size, and the last group of a class may be cut. Each image is drawn as likely as
    any other of its class.

    Args:
        labels: int64 (images,), 0 to classes - 1.
        groups: int64 (images,), equal for images that belong together.
        wanted: int64 (classes,), images to draw; all of a class that has no more.
        different: groups of each class that are among them in any case, where it has them; at most a tenth of `wanted`
            of each is taken for that.
        seed: of what is drawn.

    Returns:
        int64 (drawn,): indices, in their order.
    """
    random = np.random.default_rng(seed)
    order = random.permutation(len(labels))
    table = pd.DataFrame({"label": labels[order], "group": groups[order]})
    most = np.maximum(1, wanted // _PIECES)[table["label"]]
    table["piece"] = table.groupby(["label", "group"]).cumcount() // most
    pieces = table.groupby(["group", "piece"], sort=False).ngroup().to_numpy()
    table["place"] = random.permutation(pieces.max() + 1)[pieces]
    first = table.loc[table["piece"] == 0].groupby("label")["place"].rank(method="dense")
    table["later"] = ~(first <= different).reindex(table.index, fill_value=False)
    table = table.sort_values(["later", "place"], kind="stable")
    taken = table.groupby("label").cumcount() < wanted[table["label"]]
    return np.sort(order[table.index[taken]])
