"""The history of a training, a row per epoch, and what follows from it: the best epoch, and whether to stop."""

from typing import Literal

import pandas as pd

COLUMNS = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy")


def empty_history() -> pd.DataFrame:
    """The history of a training that has not begun: the columns `COLUMNS`, no row."""
    return pd.DataFrame(columns=list(COLUMNS))


def with_epoch(history: pd.DataFrame, row: dict[str, float]) -> pd.DataFrame:
    """The history with one more epoch.

    Args:
        history: a row per epoch before, columns `COLUMNS`.
        row: the values of the new epoch, by column.

    Returns:
        A new table; `history` stays as it is.
    """
    new = pd.DataFrame([row])
    return new if history.empty else pd.concat([history, new], ignore_index=True)


def best_epoch(history: pd.DataFrame) -> int:
    """The epoch with the lowest validation loss; of several such epochs the first.

    Args:
        history: a row per epoch, columns `COLUMNS`; at least one row. The validation loss has class weights where the
            training has them.

    Returns:
        The number of the epoch, from 1.
    """
    return int(history["epoch"].iloc[int(history["val_loss"].argmin())])


def kept_epoch(history: pd.DataFrame, keep: Literal["best", "last"]) -> int:
    """The epoch whose weights are kept, from 1: `best_epoch`, or the last one.

    Args:
        history: a row per epoch, columns `COLUMNS`; at least one row.
        keep: which.
    """
    return best_epoch(history) if keep == "best" else int(history["epoch"].iloc[-1])


def should_stop(history: pd.DataFrame, early_stopping: int | None) -> bool:
    """Whether a training stops early.

    Args:
        history: a row per epoch, columns `COLUMNS`.
        early_stopping: epochs without a lower validation loss after which training stops; None never stops early.
    """
    if early_stopping is None or history.empty:
        return False
    return len(history) - best_epoch(history) >= early_stopping
