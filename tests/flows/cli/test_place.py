"""Commands work from any folder of a project and on one that is named; paths mean where they were typed."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from flows.cli.app import app
from flows.errors import FlowError
from flows.project import place
from flows.project.git import git
from flows.project.readiness import advice, require_commit, require_tools

ROOT = Path(__file__).resolve().parents[3]
# Says what it was asked for, and where it stands.
SAYS = "import os, sys\nprint(os.getcwd(), *sys.argv[1:], sep='\\n')\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with parameters and profiles, which is all that `use` needs."""
    folder = tmp_path / "my project"
    for name, text in {
        "dvc.yaml": "stages: {}\n",
        "params.yaml": "a:\n  b: 1\n",
        "profiles/default.yaml": "a:\n  b: 1\n",
        "profiles/other.yaml": "a:\n  b: 2\n",
    }.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (folder / "photos" / "new").mkdir(parents=True)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv(place.VARIABLE, raising=False)
    return folder


def smallset(*arguments: str, folder: Path, **env: str) -> str:
    # Not the working directory's code: what is there may be anything.
    done = subprocess.run(
        [sys.executable, "-P", "-m", "flows.cli", *arguments],
        cwd=folder,
        env=os.environ | env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def test_a_command_in_a_subfolder_is_for_the_project(project: Path) -> None:
    here = project / "photos" / "new"
    assert smallset("use", "other", folder=here) == "a.b: 1 -> 2\n"
    assert (project / "params.yaml").read_text() == "a:\n  b: 2\n"


def test_paths_mean_where_they_were_typed(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "_typed_in", [])
    here = project / "photos" / "new"
    monkeypatch.chdir(here)
    assert place.as_typed(Path("cat.jpg")) == Path("cat.jpg")
    assert place.enter(None) == project == Path.cwd()
    assert place.typed_in() == here
    assert place.as_typed(Path("cat.jpg")) == here / "cat.jpg"
    assert place.as_typed(Path("/cat.jpg")) == Path("/cat.jpg")
    assert place.as_typed(Path("~")) == Path.home()


def test_a_project_is_named_by_an_option_or_a_variable(project: Path, tmp_path: Path) -> None:
    assert "a.b" in smallset("--project", "my project", "use", "other", folder=tmp_path)
    assert "already has" in smallset("use", "other", folder=tmp_path, **{place.VARIABLE: "my project"})
    assert smallset("--project", "nowhere", "use", "other", folder=tmp_path) == (
        "error: --project nowhere: expected the folder of a project, found no dvc.yaml in it\n"
    )


def test_no_project_is_told_with_the_ways_out(project: Path, tmp_path: Path) -> None:
    said = smallset("status", folder=tmp_path)
    assert said.startswith("error: no project here or above")
    assert said.count("\n") == 1
    assert "--project FOLDER" in said
    assert "smallset new NAME" in said


# Of every command: what is typed behind it.
COMMANDS = {
    "run": ["", "--look", "photos", "--only head"],
    "use": ["default"],
    "retrain": [""],
    "schedule": ["--every 60"],
    "upgrade": [""],
    "status": [""],
    "log": ["", "split"],
    "report": [""],
    "compare": ["main", "--base main"],
    "history": [""],
    "show": ["", "in-use"],
    "branch-point": ["main"],
    "export": [""],
    "promote": [""],
    "rollback": [""],
    "hold": [""],
    "release": [""],
    "doctor": ["", "--json"],
    "clean": ["--keep 2"],
    "dvc": ["status"],
}
NEED_NONE = {"new", "predict", "verify", "serve"}  # the last three take a bundle, too


@pytest.mark.parametrize("words", [f"{name} {more}".strip() for name, more_ in COMMANDS.items() for more in more_])
def test_every_command_says_the_same_where_there_is_no_project(
    words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(place.VARIABLE, raising=False)
    found = CliRunner().invoke(app, words.split())
    assert found.exit_code == 1
    assert found.stderr == (
        "error: no project here or above (no dvc.yaml): go into its folder or name it, `smallset --project FOLDER "
        "...`; `smallset new NAME` makes one\n"
    )
    assert not list(tmp_path.iterdir())


def test_a_name_that_no_file_system_takes_is_one_line() -> None:
    found = CliRunner().invoke(app, ["--project", "n" * 300, "status"])
    assert found.stderr == f"error: {Path.cwd() / ('n' * 300)}/dvc.yaml: File name too long: expected a shorter name\n"


def test_no_command_is_left_out_above() -> None:
    assert set(typer.main.get_command(app).commands) == {*COMMANDS, *NEED_NONE}


def test_a_retraining_of_a_project_without_a_commit_says_how_to_make_one(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    found = CliRunner().invoke(app, ["retrain"])
    assert found.stderr.startswith("error: git: expected a repository with a commit, found none: `git init && ")
    git("init", "--quiet", folder=project.parent)
    git("-c", "user.name=x", "-c", "user.email=x@localhost", "commit", "--quiet", "--allow-empty", "--message", "one")
    found = CliRunner().invoke(app, ["retrain"])
    assert found.stderr.startswith("error: expected a git repository in the project's own folder, found none in ")


def test_a_project_is_run_by_its_own_code(project: Path) -> None:
    code = project / "flows" / "cli"
    code.mkdir(parents=True)
    for file in (code.parent / "__init__.py", code / "__init__.py", code / "own_code.py"):
        file.touch()
    (code / "__main__.py").write_text(SAYS)
    here = project / "photos"
    assert smallset("use", "other", folder=here).splitlines() == [str(here), "use", "other"]
    # A newer pipeline is brought into it by the newer code.
    assert smallset("upgrade", "--help", folder=here).splitlines()[1:2] != ["upgrade"]


def test_what_another_user_has_put_above_is_no_project_of_mine(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = project / "photos"
    assert place.find(here) == project
    # As if all of this were another user's, and only `photos` mine.
    owner = Path.stat

    def stat(path: Path, **options: bool) -> os.stat_result:
        found = list(owner(path, **options))
        found[4] = 4711 if path == project / "dvc.yaml" else found[4]
        return os.stat_result(found)

    monkeypatch.setattr(Path, "stat", stat)
    assert place.find(here) is None
    assert place.find(project) == project


def test_the_named_folder_of_no_project_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FlowError, match="expected the folder of a project"):
        place.enter(tmp_path)


@pytest.mark.parametrize(
    ("there", "offered"),
    [
        ([], "`git init && git add --all && git commit"),
        ([".git"], "`dvc init`, then `git add --all"),
        ([".git", ".dvc"], None),
    ],
)
def test_what_is_missing_is_told_with_the_command_that_gives_it(
    tmp_path: Path, there: list[str], offered: str | None
) -> None:
    for name in there:
        (tmp_path / name).mkdir()
    if offered is None:
        require_tools(tmp_path)
        return
    with pytest.raises(FlowError, match=re.escape(offered)):
        require_tools(tmp_path)
    if ".git" not in there:
        with pytest.raises(FlowError, match="git init"):
            require_commit(tmp_path)


def test_results_of_no_commit_are_told_with_the_command_that_makes_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    git("init", "--quiet")
    assert advice().endswith('`git add --all && git commit --message "Start"`')
    git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--allow-empty", "--message", "Start")
    assert advice() == ""
