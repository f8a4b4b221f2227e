"""A project is run by its own code, whichever environment `smallset` was started from.

Several projects may share one environment, whose `smallset` belongs to one of them; flows and stages of two versions
would not fit together.
"""

import os
import subprocess
import sys
from pathlib import Path

from flows.project import place

RUNNING = Path(__file__).resolve().parents[2]
# A project without this file is of an earlier version, whose command line does not know `--project`.
_KNOWS_PLACES = Path("flows", "cli", "own_code.py")
_HANDED = "SMALLSET_HANDED_OVER"  # variable: the project whose code was asked for; it is asked once


def hand_over(project: Path, typed_in: Path) -> None:
    """Go on as the same command of the project's own code; returns where that is what runs already, or it has none.

    Args:
        project: its folder, absolute.
        typed_in: the folder that the paths of the command are read from.
    """
    was_asked = os.environ.pop(_HANDED, None) == str(project)
    if was_asked or project.resolve() == RUNNING or not (project / _KNOWS_PLACES).is_file():
        return
    paths = [str(project), *filter(None, [os.environ.get("PYTHONPATH")])]
    told = {
        "PYTHONPATH": os.pathsep.join(paths),
        place.VARIABLE: str(project),
        _HANDED: str(project),
    }
    # Not what lies in the working directory, which may be any folder.
    command = [sys.executable, "-P", "-m", "flows.cli", *sys.argv[1:]]
    os.chdir(typed_in)
    if sys.platform == "win32":
        # There the new process would not take the place of this one.
        sys.exit(subprocess.call(command, env=os.environ | told))
    sys.stdout.flush()
    os.execve(sys.executable, command, os.environ | told)
