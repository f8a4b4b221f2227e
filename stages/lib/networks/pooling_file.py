"""How the output of a backbone becomes one vector, written down beside the files of its preset."""

import json
from pathlib import Path
from typing import get_args

from stages.lib.core.errors import UserError
from stages.lib.core.params import Pooling

_FILE = "pooling.json"


def write(preset: Path, pooling: Pooling) -> None:
    """Write it down in a preset directory.

    Args:
        preset: exists.
        pooling: as `backbone.pooling` of params.yaml says.
    """
    (preset / _FILE).write_text(json.dumps({"pooling": pooling}) + "\n", encoding="utf-8")


def read(preset: Path) -> Pooling:
    """The pooling of a preset directory; one that says nothing is older, or not of the stage `backbone`: mean.

    Raises:
        UserError: the file says something else.
    """
    file = preset / _FILE
    if not file.is_file():
        return "mean"
    try:
        found = json.loads(file.read_text(encoding="utf-8"))["pooling"]
    except (ValueError, TypeError, KeyError):
        found = file.read_text(encoding="utf-8", errors="replace")[:100]
    if found not in get_args(Pooling):
        raise UserError(f"{file}: expected one of {', '.join(get_args(Pooling))}. Received: {found!r}")
    return found
