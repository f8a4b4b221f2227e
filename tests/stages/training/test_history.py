"""What follows from the history of a training."""

import pandas as pd
import pytest

from stages.lib.training.history import COLUMNS, best_epoch, empty_history, should_stop, with_epoch


def history(*losses: float) -> pd.DataFrame:
    found = empty_history()
    for epoch, loss in enumerate(losses, 1):
        found = with_epoch(found, dict(zip(COLUMNS, (epoch, 1.0, 0.5, loss, 0.5), strict=True)))
    return found


def test_a_history_has_a_row_per_epoch():
    assert history(3.0, 2.0).to_dict("list") == {
        "epoch": [1, 2],
        "loss": [1.0, 1.0],
        "accuracy": [0.5, 0.5],
        "val_loss": [3.0, 2.0],
        "val_accuracy": [0.5, 0.5],
    }


@pytest.mark.parametrize(("losses", "best"), [((3.0, 1.0, 2.0), 2), ((1.0, 1.0), 1)])
def test_the_best_epoch_is_the_first_with_the_lowest_validation_loss(losses, best):
    assert best_epoch(history(*losses)) == best


@pytest.mark.parametrize(
    ("losses", "early_stopping", "stops"),
    [((), 1, False), ((1.0, 2.0), None, False), ((1.0, 2.0), 1, True), ((1.0, 2.0), 2, False), ((2.0, 1.0), 1, False)],
)
def test_training_stops_after_epochs_without_a_lower_validation_loss(losses, early_stopping, stops):
    assert should_stop(history(*losses), early_stopping) == stops
