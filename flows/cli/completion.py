"""What a shell offers after Tab: names of profiles, stages, models, saved runs and branches of the project.

They are asked for at each Tab, so nothing slow is imported here.
"""

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

from flows.execution.stage_log import logged_stages

# What stands on a command line for itself: a name with anything else would be obeyed by the shell that it is put into.
_SAFE = re.compile(r"[\w][\w./@+-]*")
_MOST = 200  # names


def profiles(incomplete: str) -> list[str]:
    """Profiles that `smallset use` takes."""
    return _fitting((file.stem for file in sorted((_project() / "profiles").glob("*.yaml"))), incomplete)


def stages(incomplete: str) -> list[str]:
    """Stages whose output is kept."""
    return _fitting(sorted(logged_stages(_project())), incomplete)


def models(incomplete: str) -> list[str]:
    """Models that have been evaluated here."""
    found = (file.parent.name for file in sorted((_project() / "evaluation").glob("*/figures.json")))
    return _fitting(found, incomplete)


def runs(incomplete: str) -> list[str]:
    """Saved runs, the latest first."""
    return _fitting(_refs("refs/tags/run"), incomplete)


def runs_and_in_use(incomplete: str) -> list[str]:
    """Saved runs, and the word for the one whose model is in use."""
    return _fitting(["in-use", *_refs("refs/tags/run")], incomplete)


def branches(incomplete: str) -> list[str]:
    """Branches of this clone and of where it comes from."""
    return _fitting(_refs("refs/heads", "refs/remotes"), incomplete)


def _project() -> Path:
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / "dvc.yaml").is_file()), here)


def _refs(*kinds: str) -> list[str]:
    command = ["git", "for-each-ref", f"--count={_MOST}", "--sort=-creatordate", "--format=%(refname:short)", *kinds]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, timeout=5)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return done.stdout.splitlines()


def _fitting(names: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete) and _SAFE.fullmatch(name)][:_MOST]
