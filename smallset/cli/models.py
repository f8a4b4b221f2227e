"""Which classifier a command uses: the project's, or a bundle anywhere."""

import os
from pathlib import Path

from smallset.errors import UserError
from smallset.inference import bundle

PROJECT = "SMALLSET_PROJECT"  # variable that names the project, wherever the command is given
KERAS = "model.keras"  # in the directory of every trained model
_GRAPH = "dvc.yaml"


def project() -> Path | None:
    """The project that a command belongs to: the one that a variable names, else the nearest upward from here."""
    if named := os.environ.get(PROJECT):
        return Path(named)
    here = Path.cwd()
    return next(
        (one for one in (here, *here.parents) if (one / _GRAPH).is_file() or is_bundle(one / bundle.PLACE)), None
    )


def is_bundle(directory: Path) -> bool:
    """Whether a directory is that of a bundle."""
    return (directory / bundle.DESCRIPTION).is_file()


def trained(folder: Path) -> str:
    """Names of the trained models in a folder of models, for an error; or what to do where there are none."""
    names = [file.parent.name for file in sorted(folder.glob(f"*/{KERAS}"))]
    return ", ".join(names) or "none; run `smallset run` first"


def find(name: str | None) -> Path:
    """The directory of a bundle.

    Args:
        name: of a directory, also of a project; None is the project's own.

    Raises:
        UserError: there is none.
    """
    if name is not None:
        return bundle.find(name)
    if (home := project()) is None:
        raise UserError("expected the name of a bundle, or a project: no folder from here upward is one")
    return bundle.find(home)
