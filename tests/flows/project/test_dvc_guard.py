"""Whoever writes the DVC remote: what is not what its checksum says, or leads out of its place, is never laid down."""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest
import yaml
from dvc.utils import dict_sha256

from flows.project.dvc_guard import DVC
from flows.project.git import git
from flows.project.guarded_remote import require_entries
from tests.flows.conftest import write_project
from tests.flows.versions_project import dvc

STAGES = {
    "make": {
        "cmd": "mkdir -p made && cp source made/model && echo 1 > made/other",
        "deps": ["source"],
        "outs": ["made"],
    },
    "read": {"cmd": "cat made/model > read.txt", "deps": ["made"], "outs": ["read.txt"]},
}
GOOD = {"md5": "0" * 32, "relpath": "a/b.jpg"}
HOSTILE = {
    "above": {"relpath": "../stage.py"},
    "far above": {"relpath": "../../stage.py"},
    "inside and out": {"relpath": "a/../../stage.py"},
    "absolute": {"relpath": "/tmp/stage.py"},
    "itself": {"relpath": "."},
    "nothing": {"relpath": ""},
    "twice a slash": {"relpath": "a//b"},
    "git": {"relpath": "a/.git/config"},
    "no text": {"relpath": 3},
    "a zero": {"relpath": "a\0b"},
    "a checksum that climbs": {"relpath": "a", "md5": "ab/../../../../stage.py"},
    "a checksum of a directory": {"relpath": "a", "md5": "0" * 32 + ".dir"},
    "no checksum": {"relpath": "a", "md5": 7},
}


def run(*arguments: str) -> tuple[int, str]:
    done = subprocess.run([*DVC, *arguments], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


def place(store: Path, checksum: str) -> Path:
    return store / "files" / "md5" / checksum[:2] / checksum[2:]


def overwrite(file: Path, content: bytes) -> None:
    if file.exists():
        file.chmod(0o644)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


def checksum_of(path: str) -> str:
    lock = yaml.safe_load(Path("dvc.lock").read_text())
    return next(out["md5"] for stage in lock["stages"].values() for out in stage["outs"] if out["path"] == path)


@pytest.fixture(scope="module")
def pushed(homes, tmp_path_factory) -> Path:
    """A folder with a project that has been run and pushed, and whose workspace has lost everything; and its remote."""
    folder = tmp_path_factory.mktemp("pushed")
    project = write_project(folder / "project", STAGES)
    (project / "source").write_text("weights")
    (project / "stage.py").write_text("good")
    for command in (
        ("remote", "add", "--quiet", "--default", "store", "../store"),
        ("repro", "--quiet"),
        ("push", "--quiet", "--run-cache"),
    ):
        dvc(*command, folder=project)
    with chdir(project):
        lose()
    return folder


@pytest.fixture
def store(pushed, tmp_path, monkeypatch) -> Path:
    """The remote of such a project, in which the test stands."""
    shutil.copytree(pushed, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "store"


def lose() -> None:
    for path in ("made", ".dvc/cache", ".dvc/tmp"):
        shutil.rmtree(path, ignore_errors=True)
    Path("read.txt").unlink(missing_ok=True)


def listed(store: Path) -> list[dict[str, str]]:
    return json.loads(place(store, checksum_of("made")).read_bytes())


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_list_is_refused(name):
    require_entries([GOOD])
    with pytest.raises(ValueError, match="expected"):
        require_entries([GOOD, GOOD | HOSTILE[name]])


@pytest.mark.parametrize(
    "entries", [None, {}, [[]], [GOOD, GOOD], [GOOD, GOOD | {"relpath": "a"}], [{"md5": "0" * 32}]]
)
def test_what_is_no_list_of_files_is_refused(entries):
    with pytest.raises(ValueError, match="expected"):
        require_entries(entries)


def test_names_of_all_kinds_are_taken():
    names = ["a b.jpg", "ä/猫.png", "..a", "a..b/c.", "-rf", "a\nb", ".hidden", "A", "a", "c\\d", "x:y"]
    require_entries([GOOD | {"relpath": name} for name in names])


@pytest.mark.parametrize("command", [["pull"], ["pull", "--force", "made"], ["pull", "--run-cache"], ["fetch"]])
@pytest.mark.parametrize("entry", [{"relpath": "../stage.py"}, {"relpath": "x", "md5": "ab/../../../../../stage.py"}])
def test_a_list_that_leads_out_is_never_followed(store, command, entry):
    evil = b"evil"
    md5 = hashlib.md5(evil).hexdigest()
    overwrite(place(store, md5), evil)
    overwrite(store / "stage.py", evil)
    content = json.dumps([*listed(store), {"md5": md5} | entry]).encode()
    overwrite(place(store, checksum_of("made")), content)
    code, said = run(*command)
    assert code
    assert "ERROR: " in said
    assert "checksum is another" in said
    assert Path("stage.py").read_text() == "good"
    assert not Path("made").exists()


@pytest.mark.parametrize("command", [["pull"], ["pull", "--force", "made"], ["repro", "--pull"]])
def test_a_list_that_leads_out_is_refused_with_the_right_checksum_too(store, command):
    evil = b"evil"
    md5 = hashlib.md5(evil).hexdigest()
    overwrite(place(store, md5), evil)
    content = json.dumps([*listed(store), {"md5": md5, "relpath": "../stage.py"}]).encode()
    forged = f"{hashlib.md5(content).hexdigest()}.dir"
    overwrite(place(store, forged), content)
    before = checksum_of("made")
    overwrite(Path("dvc.lock"), Path("dvc.lock").read_bytes().replace(before.encode(), forged.encode()))
    code, said = run(*command)
    assert Path("stage.py").read_text() == "good"
    assert not Path("made").exists()
    assert code
    assert "relpath: expected a path inside the directory. Received: '../stage.py'" in said


def forge(store: Path, stage: str, change: Callable[[dict[str, Any]], object], named: bool) -> None:
    """Write another entry into the run cache of a remote in the place of a stage's; `named`: under its checksum."""
    [old] = [file for file in (store / "runs").rglob("*") if file.is_file() and stage in file.read_text()]
    entry = yaml.safe_load(old.read_text())
    change(entry)
    name = dict_sha256(entry, exclude=["size", "nfiles"]) if named else old.name
    old.unlink()
    old.with_name(name).write_text(yaml.safe_dump(entry))


@pytest.mark.parametrize(
    ("path", "named"), [("numpy.py", True), ("numpy.py", False), ("made/numpy.py", True), (".git/hooks/pre-push", True)]
)
def test_an_entry_of_the_run_cache_lays_down_nothing_but_outputs_of_its_stage(store, path, named):
    evil = b"evil"
    md5 = hashlib.md5(evil).hexdigest()
    overwrite(place(store, md5), evil)
    out = {"path": path, "hash": "md5", "md5": md5, "size": len(evil)}
    forge(store, "made/model > read.txt", lambda entry: entry["outs"].append(out), named)
    Path("dvc.lock").unlink()
    run("pull", "--run-cache", "--allow-missing")
    assert run("repro", "--pull")[0] == 0
    assert not Path(path).exists()
    assert (Path("stage.py").read_text(), Path("read.txt").read_text()) == ("good", "weights")


@pytest.mark.parametrize("content", [b"\xff", b"cmd: x\nparams: {params.yaml: {a: 2026-01-01}}\n", b"a: &a [*a]"])
def test_a_garbled_entry_of_the_run_cache_counts_as_none(store, content):
    for file in (store / "runs").rglob("*"):
        if file.is_file():
            overwrite(file, content)
    Path("dvc.lock").unlink()
    run("pull", "--run-cache", "--allow-missing")
    assert run("repro", "--pull")[0] == 0
    assert Path("read.txt").read_text() == "weights"


def test_what_an_equal_run_left_is_laid_down(store):
    Path("dvc.lock").unlink()
    run("pull", "--run-cache", "--allow-missing")
    done = subprocess.run([*DVC, "repro", "--pull"], capture_output=True, text=True, check=True)
    assert done.stdout.count("is cached - skipping run") == 2
    assert "Running stage" not in done.stdout


@pytest.mark.parametrize("command", [["pull"], ["pull", "--force", "made"], ["fetch"]])
@pytest.mark.parametrize("content", [b"xeights", b"wei", b""])
def test_a_garbled_or_truncated_file_is_refused(store, command, content):
    overwrite(place(store, hashlib.md5(b"weights").hexdigest()), content)
    code, said = run(*command)
    assert code
    assert f"{hashlib.md5(b'weights').hexdigest()} in the remote: damaged" in said
    assert not Path("made/model").exists()


def test_a_missing_file_is_said(store):
    place(store, hashlib.md5(b"weights").hexdigest()).unlink()
    code, said = run("pull")
    assert code
    assert "ERROR: " in said


def test_a_garbled_list_is_refused(store):
    overwrite(place(store, checksum_of("made")), b"[garbled")
    code, said = run("pull")
    assert code
    assert "checksum is another" in said


@pytest.mark.parametrize("attack", ["garbled", "leads out"])
def test_what_others_get_is_checked_too(store, tmp_path, attack):
    git("add", "--all", folder=".")
    git("-c", "user.name=x", "-c", "user.email=x@localhost", "commit", "--quiet", "--message", "A run", folder=".")
    if attack == "garbled":
        overwrite(place(store, hashlib.md5(b"weights").hexdigest()), b"xeights")
    else:
        entries = [*listed(store), listed(store)[0] | {"relpath": "../../stage.py"}]
        overwrite(place(store, checksum_of("made")), json.dumps(entries).encode())
    code, said = run("get", ".", "made", "--out", str(tmp_path / "got" / "made"))
    assert code
    assert "checksum is another" in said
    assert not (tmp_path / "got" / "made" / "model").exists()
    assert not (tmp_path / "stage.py").exists()


def test_what_is_good_is_fetched(store):
    assert run("pull", "--run-cache")[0] == 0
    assert (Path("made/model").read_text(), Path("read.txt").read_text()) == ("weights", "weights")
    lose()
    assert run("repro", "--pull")[0] == 0
    assert Path("made/model").read_text() == "weights"


def test_the_guard_is_the_one_beside_its_program(tmp_path, monkeypatch):
    """Whichever version of this project the environment has."""
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "__init__.py").write_text("raise SystemExit('another one')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert run("--version") == (0, "")


def test_broken_links_pipes_and_devices_among_images_end_nothing(homes, tmp_path):
    """DVC would hash none of the others, or wait for ever; the stage `download` names it."""
    robin = tmp_path / "birds" / "robin"
    robin.mkdir(parents=True)
    (robin / "1.jpg").write_bytes(b"1")
    links = {"lost.jpg": "nowhere", "circle.jpg": "circle.jpg", "long.jpg": "x" * 300, "zero.jpg": "/dev/zero"}
    for name, target in links.items():
        (robin / name).symlink_to(target)
    os.mkfifo(robin / "pipe.jpg")
    git("init", "--quiet", folder=tmp_path)
    for command in (["init", "--quiet"], ["add", "--quiet", "birds"]):
        subprocess.run([*DVC, *command], cwd=tmp_path, check=True, timeout=60)
    assert "nfiles: 1" in (tmp_path / "birds.dvc").read_text()
