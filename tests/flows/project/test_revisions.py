import shutil
import subprocess
import tempfile
from contextlib import chdir

import pytest

from flows.errors import FlowError
from flows.project.revisions import fetch_results
from tests.flows.conftest import write_project
from tests.flows.versions_project import dvc as run_dvc

STAGES = {
    "evaluate": {
        "foreach": ["x", "y"],
        "do": {
            "cmd": "cp source evaluation/${item}/predictions.csv",
            "deps": ["source"],
            "outs": ["evaluation/${item}/predictions.csv"],
        },
    },
    "report": {
        "cmd": "mkdir -p report && cp source report/summary.json",
        "deps": ["source"],
        "metrics": [{"report/summary.json": {"cache": False}}],
    },
}


def git(*arguments: str) -> None:
    author = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.com"]
    subprocess.run(["git", *author, *arguments], check=True, capture_output=True)


def commit(message: str) -> None:
    git("add", "--all")
    git("commit", "--quiet", "--message", message)


@pytest.fixture(scope="module")
def ran(homes, tmp_path_factory):
    """Two committed runs, the first tagged v1; the workspace has been run again since."""
    project = write_project(tmp_path_factory.mktemp("ran") / "project", STAGES)
    (project / ".dvc" / ".gitignore").write_text("/tmp\n/cache\n/config.local\n")
    for model in "xy":
        (project / "evaluation" / model).mkdir(parents=True)
    with chdir(project):
        for content in ("first", "second"):
            (project / "source").write_text(content)
            run_dvc("repro", folder=project)
            commit(content)
        git("tag", "v1", "HEAD~1")
        (project / "source").write_text("third")
        run_dvc("repro", folder=project)
    return project


@pytest.fixture
def project(ran, monkeypatch, tmp_path):
    """A copy of it, in which the test stands, and which leaves no temporary files."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    project = shutil.copytree(ran, tmp_path / "project", symlinks=True)
    monkeypatch.chdir(project)
    yield project
    assert list((tmp_path / "temporary").iterdir()) == []


def fetched(revision, folder):
    shutil.rmtree(folder, ignore_errors=True)
    fetch_results(revision, folder)
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def all_three(content: str) -> dict[str, str]:
    files = ("evaluation/x/predictions.csv", "evaluation/y/predictions.csv", "report/summary.json")
    return dict.fromkeys(files, content)


def test_every_kind_of_revision_is_read_and_the_workspace_stays(project, tmp_path):
    for revision in ("v1", "HEAD~1", "HEAD^"):
        assert fetched(revision, tmp_path / "to") == all_three("first")
    assert fetched("HEAD", tmp_path / "to") == all_three("second")
    assert fetched(None, tmp_path / "to") == all_three("third")
    assert (project / "evaluation" / "x" / "predictions.csv").read_text() == "third"


def test_an_experiment_is_read_by_its_name(project, dvc, tmp_path):
    dvc("exp", "save", "--name", "third-try")
    git("checkout", "--", ".")
    dvc("checkout")
    assert fetched(None, tmp_path / "to") == all_three("second")
    assert fetched("third-try", tmp_path / "to") == all_three("third")
    (project / "source").write_text("fourth")
    dvc("exp", "run", "--name", "fourth-try")
    git("checkout", "--", ".")
    assert fetched("fourth-try", tmp_path / "to") == all_three("fourth")


def test_a_fresh_clone_reads_what_the_remote_has(project, dvc, tmp_path, monkeypatch):
    (tmp_path / "remote").mkdir()
    dvc("remote", "add", "--default", "store", str(tmp_path / "remote"))
    git("checkout", "--", "source", "dvc.lock", "report")
    dvc("checkout")
    commit("remote")
    shutil.copytree(project / ".dvc" / "cache" / "files", tmp_path / "remote" / "files")
    git("clone", "--quiet", ".", str(tmp_path / "clone"))
    monkeypatch.chdir(tmp_path / "clone")
    # The revision itself does not know the remote yet.
    assert fetched("v1", tmp_path / "to") == all_three("first")
    assert fetched(None, tmp_path / "to") == all_three("second")

    shutil.rmtree(tmp_path / "remote" / "files")
    with pytest.raises(
        FlowError, match=r"^evaluation/x/predictions\.csv of v1 is not in DVC's cache, nor in the remote "
    ):
        fetch_results("v1", tmp_path / "to")


def test_what_is_not_in_the_cache_is_named_with_a_way_to_get_it(project, tmp_path):
    shutil.rmtree(project / ".dvc" / "cache")
    with pytest.raises(FlowError) as caught:
        fetch_results("v1", tmp_path / "to")
    assert str(caught.value).startswith(
        "evaluation/x/predictions.csv of v1 is not in DVC's cache, and there is no remote"
    )
    assert "`dvc repro` on a checkout of v1" in str(caught.value)


def test_a_remote_that_cannot_be_used_is_one_line(project, dvc, tmp_path):
    dvc("remote", "add", "--default", "store", "ssh://127.0.0.1:9/none")
    with pytest.raises(FlowError, match=r"^v1: ssh is supported, but requires 'dvc-ssh' to be installed"):
        fetch_results("v1", tmp_path / "to")


def test_a_remote_that_refuses_is_one_line(project, dvc, tmp_path, monkeypatch):
    from dvc.api import DVCFileSystem

    def refuse(self, path):
        raise ValueError("Unable to locate\ncredentials")

    dvc("remote", "add", "--default", "store", str(tmp_path / "remote"))
    monkeypatch.setattr(DVCFileSystem, "read_bytes", refuse)
    with pytest.raises(FlowError, match=r"csv of v1, from the remote store: Unable to locate credentials$"):
        fetch_results("v1", tmp_path / "to")


def test_an_unknown_revision_is_one_line(project, tmp_path):
    with pytest.raises(
        FlowError, match=r"^unknown Git revision 'nosuch': expected a git revision or the name of a DVC"
    ):
        fetch_results("nosuch", tmp_path / "to")


def test_a_model_that_no_run_has_made_is_left_out(project, tmp_path):
    text = (project / "dvc.yaml").read_text()
    (project / "dvc.yaml").write_text(text.replace("- y\n", "- y\n    - z\n"))
    commit("a third model")
    assert set(fetched("HEAD", tmp_path / "to")) == set(all_three(""))
    assert set(fetched(None, tmp_path / "to")) == set(all_three(""))


def test_a_revision_before_the_first_run_is_one_line(make, tmp_path):
    make(STAGES)
    commit("nothing run")
    with pytest.raises(
        FlowError, match=r"^HEAD: expected evaluation/<model>/predictions\.csv, found none: commit dvc\.lock"
    ):
        fetch_results("HEAD", tmp_path / "to")
    with pytest.raises(FlowError, match=r"^the workspace: .*: run `smallset run`$"):
        fetch_results(None, tmp_path / "to")


def test_a_project_inside_a_repository_is_one_line(project, tmp_path):
    (project / ".git").rename(tmp_path / ".git")
    with pytest.raises(FlowError, match="expected a git repository in the project's own folder"):
        fetch_results("HEAD", tmp_path / "to")
    shutil.rmtree(tmp_path / ".git")
    with pytest.raises(FlowError, match="is not a git repository"):
        fetch_results("HEAD", tmp_path / "to")
