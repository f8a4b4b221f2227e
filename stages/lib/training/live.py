"""Curves of a training while it runs, as DVCLive writes them: `dvc plots` and editors show them."""

from pathlib import Path

from dvclive import Live
from scmrepo.exceptions import SCMError

from stages.lib.core.errors import UserError
from stages.lib.training.checkpoints import Checkpoints


def live_directory(checkpoints: Checkpoints) -> Path:
    """Where DVCLive writes while the training runs."""
    return checkpoints.directory / "live"


def open_live(checkpoints: Checkpoints) -> Live:
    """Begin the curves of a training, without those of an earlier start.

    Returns:
        To be used in a `with` block, which ends the curves however the training ends.

    Raises:
        UserError: the project is no git repository with a commit, which DVCLive needs.
    """
    try:
        return Live(str(live_directory(checkpoints)), dvcyaml=None, save_dvc_exp=False, report=None)
    except SCMError as error:
        raise UserError(f"git: expected a repository with a commit ({error}); commit the project, run again") from None


def log_epoch(live: Live, row: dict[str, float]) -> None:
    """Add one epoch to the curves.

    Args:
        live: from `open_live`.
        row: loss, accuracy, val_loss and val_accuracy of the epoch.
    """
    for name in ("loss", "accuracy"):
        live.log_metric(f"train/{name}", row[name])
        live.log_metric(f"validation/{name}", row[f"val_{name}"])
    live.next_step()
