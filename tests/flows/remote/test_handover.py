"""What a stage needs from elsewhere, the clone of a worker, and the entry that comes back; without Dask."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from flows.errors import FlowError
from flows.execution.process_output import Outcome
from flows.project.git import git
from flows.remote.handover import Needs, merge_entry, read_entry, read_given, read_needs
from flows.remote.worker import Order, deliver

STAGES = {
    "own": {"cmd": "cp own/a raw", "deps": ["own"], "outs": ["raw"]},
    "code": {"cmd": "mkdir -p all && cp raw all/kept && cp raw all/figures", "deps": ["raw", "tool"],
             "outs": ["all/kept", {"all/figures": {"cache": False}}]},
    "last": {"cmd": "cat all/* > last", "deps": ["all"], "outs": ["last"]},
}  # fmt: skip


def commit(message: str) -> str:
    git("add", "--all")
    git("-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "--quiet", "--message", message)
    return git("rev-parse", "HEAD")


@pytest.fixture
def project(make, tmp_path, dvc) -> Path:
    project = make(STAGES)
    (project / ".dvc" / ".gitignore").write_text("/tmp\n/cache\n")
    (project / ".gitignore").write_text("/.smallset/\n/own/*\n")
    (project / "tool").write_text("1")
    (project / "own").mkdir()
    (project / "own" / "a").write_text("1")
    (project / "params.yaml").write_text("{}\n")
    dvc("remote", "add", "--default", "storage", str(tmp_path / "storage"))
    commit("Start")
    return project


@pytest.fixture
def clone(project, tmp_path, monkeypatch) -> Path:
    """Stand in a clone."""
    git("clone", "--quiet", str(project), str(tmp_path / "clone"))
    monkeypatch.chdir(tmp_path / "clone")
    return tmp_path / "clone"


def order(project: Path, **changes) -> Order:
    made = Order("code", git("rev-parse", "HEAD", folder=project), {}, {}, (), ())
    return replace(made, **changes)


def refuse(order: Order, match: str) -> None:
    with pytest.raises(FlowError, match=match):
        deliver(order, lambda _: None, threading.Event())


def test_the_needs_of_a_stage(project):
    needs = read_needs()
    assert needs == {
        "own": Needs((), (), (), "own"),
        "code": Needs(("raw",), ("all/figures",), ("all/figures",), None),
        "last": Needs(("all/kept",), ("all/figures",), (), None),
    }
    (project / "untracked").touch()
    (project / "all").mkdir()
    (project / "all" / "figures").write_text("5")
    given = read_given(needs["last"])
    assert (set(given), given["all/figures"]) == ({"dvc.yaml", "params.yaml", "all/figures"}, b"5")


def test_a_file_outside_of_the_project_is_only_here(make, tmp_path):
    make({"own": {"cmd": "true", "deps": [str(tmp_path / "elsewhere")], "outs": ["raw"]}})
    (tmp_path / "elsewhere").touch()
    assert read_needs()["own"].only_here == "../elsewhere"


def test_entries_come_in_the_order_of_the_stages_whatever_ends_first(project, dvc):
    dvc("repro")
    expected = (project / "dvc.lock").read_bytes()
    entries = {name: read_entry(name) for name in STAGES}
    (project / "dvc.lock").unlink()
    for name in ("last", "own", "code", "own"):
        merge_entry(name, entries[name], list(STAGES))
    assert (project / "dvc.lock").read_bytes() == expected
    assert "up to date" in dvc("status")


def test_a_clone_that_cannot_run_it_says_why(project, clone):
    refuse(order(project, packages={"keras": "1.2"}), "expected keras 1.2, as where the run was started, found 3")
    (clone / "tool").write_text("2")
    refuse(order(project), "expected a clone that nobody works in, found changes: M tool")
    git("checkout", "--quiet", "tool")
    refuse(order(project, commit="0" * 40), f"this clone has no commit 00000000, only {git('rev-parse', 'HEAD')[:8]}")
    refuse(order(project, pulled=("raw",)), r"^dvc pull: ")


def test_a_clone_fetches_the_commit_and_leaves_nothing_of_the_order_before(project, clone, dvc, monkeypatch):
    monkeypatch.chdir(project)
    dvc("repro", "own")
    dvc("push")
    monkeypatch.chdir(clone)
    lock = (project / "dvc.lock").read_bytes()
    first = order(project, files={"all/old": b"x", "dvc.lock": lock}, pulled=("raw",), made=("all/figures",))
    delivery = deliver(first, lambda _: None, threading.Event())
    assert (delivery.result.outcome, delivery.files) == (Outcome.RAN, {"all/figures": b"1"})
    assert [dep["path"] for dep in delivery.entry["deps"]] == ["raw", "tool"]
    monkeypatch.chdir(project)
    (project / "tool").write_text("2")
    second = order(
        project, commit=commit("A new tool"), files={"dvc.lock": lock}, pulled=("raw",), made=("all/figures",)
    )
    monkeypatch.chdir(clone)
    assert deliver(second, lambda _: None, threading.Event()).result.outcome is Outcome.RAN
    assert (clone / "tool").read_text() == "2"
    assert not (clone / "all" / "old").exists()


def test_a_worker_takes_nothing_damaged_from_the_remote(project, clone, dvc, tmp_path, monkeypatch):
    monkeypatch.chdir(project)
    dvc("repro", "own")
    dvc("push")
    lock = (project / "dvc.lock").read_bytes()
    (stored,) = [file for file in (tmp_path / "storage" / "files" / "md5").rglob("*") if file.is_file()]
    stored.chmod(0o644)
    stored.write_text("2")
    # As rot leaves it: of a file that is not write-protected DVC looks at the content even in the remote.
    stored.chmod(0o444)
    monkeypatch.chdir(clone)
    refuse(order(project, files={"dvc.lock": lock}, pulled=("raw",)), r"^dvc pull: .* in the remote: damaged")
    assert not (clone / "raw").exists()
