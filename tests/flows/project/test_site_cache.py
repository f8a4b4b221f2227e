"""`flows.project.site_cache`: DVC reads no pickle that another user of the machine could have planted."""

import os
import pickle
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

SHOWN = "import os; import flows; from dvc.dirs import site_cache_dir; print(site_cache_dir())"
USED = """
import dvc.dirs
from flows.project.dvc_repo import open_project

with open_project() as repo:
    repo.reproduce()
    repo.checkout()
print(dvc.dirs.site_cache_dir())
"""


def run(code: str, home: Path, **more: str) -> Path:
    """Run code as a user with this home; it prints the folder of DVC's site cache."""
    environment = {
        name: value for name, value in os.environ.items() if name not in ("DVC_SITE_CACHE_DIR", "XDG_CACHE_HOME")
    }
    environment |= {"HOME": str(home)} | more
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.splitlines()[-1])


def test_it_lies_where_nobody_else_may_look_or_write(tmp_path):
    found = run(SHOWN, tmp_path)
    assert found == tmp_path / ".cache" / "smallset" / "dvc"
    assert (found.parent.stat().st_mode & 0o777, found.parent.stat().st_uid) == (0o700, os.geteuid())
    assert run(SHOWN, tmp_path, XDG_CACHE_HOME=str(tmp_path / "xdg")) == tmp_path / "xdg" / "smallset" / "dvc"
    assert run(SHOWN, tmp_path, DVC_SITE_CACHE_DIR="/srv/own") == Path("/srv/own")
    # DVC takes an empty one for none.
    assert run(SHOWN, tmp_path, DVC_SITE_CACHE_DIR="") == found


@pytest.mark.parametrize("kind", ["open to all", "open to the group", "link", "file"])
def test_a_folder_that_others_may_have_filled_is_not_used_and_nothing_stays_of_its_stead(kind, tmp_path):
    folder = tmp_path / ".cache" / "smallset"
    folder.parent.mkdir()
    match kind:
        case "link":
            (tmp_path / "theirs").mkdir(mode=0o700)
            folder.symlink_to(tmp_path / "theirs")
        case "file":
            folder.touch()
        case _:
            folder.mkdir()
            folder.chmod(0o777 if kind == "open to all" else 0o770)
    found = run(SHOWN, tmp_path)
    assert not found.is_relative_to(tmp_path / ".cache")
    assert not found.parent.exists()


class Attack:
    """What runs when it is unpickled."""

    def __reduce__(self) -> tuple:
        return os.mkdir, ("pwned",)


def plant(folder: Path) -> None:
    """Put it in place of what DVC has noted of a file that it laid down."""
    [file] = folder.rglob("links/cache.db")
    with sqlite3.connect(file) as database:
        values = (pickle.dumps(Attack(), protocol=4),)
        database.execute("UPDATE Cache SET key = 'source', mode = 4, value = ?", values)
    database.close()


def test_a_planted_pickle_is_not_read(make, tmp_path):
    project = make({"a": {"cmd": "cat source > a", "deps": ["source"], "outs": ["a"]}})
    (project / "source").write_text("1")
    used = run(USED, tmp_path)
    plant(used)
    # Whoever may write there is obeyed, which nobody else may.
    run(USED, tmp_path)
    assert (project / "pwned").is_dir()
    (project / "pwned").rmdir()
    used.parent.chmod(0o777)
    assert run(USED, tmp_path) != used
    assert not (project / "pwned").exists()
