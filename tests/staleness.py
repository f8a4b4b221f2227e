"""Which stages an edit of a package makes stale, as DVC itself says: each package edited for real in a copy.

`python -m tests.staleness` prints the table of docs/debugging.md; a test compares that with dvc.yaml.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from tests.packages import FLOWS, LIB, ROOT, SMALLSET

_COPIED = ("dvc.yaml", "params.yaml", ".dvcignore", "sources", "safety", "smallset", "stages", "flows")
_CONFIG = "[core]\n    no_scm = true\n    analytics = false\n    check_update = false\n"


def committed_copy(folder: Path) -> Path:
    """A copy of the project without git, in which DVC takes every stage for done: a word stands for each output."""
    folder.mkdir(parents=True)
    for name in _COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    (folder / ".dvc").mkdir()
    (folder / ".dvc" / "config").write_text(_CONFIG, encoding="utf-8")
    for path in named("outs", "metrics", "plots", "deps"):
        if (folder / path).exists() or "$" in path:
            continue
        file = folder / path if Path(path).suffix else folder / path / "content.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(path, encoding="utf-8")
    dvc(folder, "commit", "--force")
    return folder


def named(*kinds: str) -> Iterator[str]:
    """Every path of dvc.yaml, `foreach` written out: all of the first kind (`outs`, say), then those of the next."""
    stages: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    for kind in kinds:
        for stage in stages.values():
            entries = stage.get("do", stage).get(kind, [])
            paths = [next(iter(entry)) if isinstance(entry, dict) else entry for entry in entries]
            for item in stage.get("foreach", [""]):
                yield from (path.replace("${item}", item) for path in paths)


def dvc(folder: Path, *command: str) -> str:
    """What a command of DVC prints in a folder."""
    environment = os.environ | {"DVC_SITE_CACHE_DIR": str(folder.parent / "site-cache"), "DVC_NO_ANALYTICS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "dvc", *command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def stale_after(edited: Path, folder: Path) -> list[str]:
    """Stages that `dvc status` calls changed once a module has one comment more; the module is put back."""
    before = edited.read_bytes()
    edited.write_bytes(before + b"# One comment more.\n")
    try:
        return sorted({name.split("@")[0] for name in json.loads(dvc(folder, "status", "--json"))})
    finally:
        edited.write_bytes(before)


def place_of(package: Path) -> Path:
    """The folder of a package, or the file that stands for one."""
    return package if package.is_dir() else package.with_suffix(".py")


def a_module_of(place: Path) -> Path:
    """The first module of a package by name."""
    return next(file for file in sorted(place.glob("*.py")) if file.name != "__init__.py") if place.is_dir() else place


def row(package: str, stages: list[str]) -> str:
    """A row of the table of docs/debugging.md."""
    return f"| `{package}` | {', '.join(f'`{name}`' for name in stages) or 'none'} |"


def table(folder: Path) -> Iterator[str]:
    """The rows of the table, each tried in a committed copy."""
    for parent, packages in (("stages/lib", LIB), ("smallset", SMALLSET), ("flows", FLOWS)):
        for package in packages:
            place = place_of(folder / parent / package)
            yield row(place.relative_to(folder).as_posix(), stale_after(a_module_of(place), folder))


if __name__ == "__main__":
    with TemporaryDirectory() as scratch:
        for line in table(committed_copy(Path(scratch) / "project")):
            print(line, flush=True)
