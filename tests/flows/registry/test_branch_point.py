"""Where a branch was begun, and what was really had there: real git, real DVC, one project for all."""

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from flows.cli.app import app
from flows.errors import FlowError
from flows.project.git import git, resolve
from flows.registry import saved_runs
from flows.registry.branch_point import NoResults, find_branch_point
from flows.registry.saved_runs import Workspace
from tests.flows.versions_project import dvc, make_project, write_source


def commit(message: str, *files: str) -> str:
    git("add", "--force", "--all", "--", *files)
    git("commit", "--quiet", "--allow-empty", "--message", message)
    return str(resolve("HEAD"))


def run(source: str, outcomes: dict[str, str], epochs: int = 1) -> list[str]:
    """Saved runs on the commit that is checked out, all of the same results; the working tree stays.

    Args:
        outcomes: by name. epochs: a parameter that they were given.
    """
    text = yaml.safe_load(Path("params.yaml").read_text())
    Path("params.yaml").write_text(yaml.safe_dump(text | {"train": {"epochs": epochs}}))
    dvc("repro", "--quiet", folder=Path())
    records = [{"id": name, "branch": "main", "source": source, "outcome": found} for name, found in outcomes.items()]
    saved = [saved_runs.save(record, Workspace(Path(), "main"), "Run").commit for record in records]
    git("checkout", "--quiet", "--force", source)
    return saved


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Commits of `main`: fresh (a run is committed), stale, words (only a README more), tip (a run is committed again).

    Saved runs: other (of `stale`, with other parameters), failed, good. before: what was found without the last.
    """
    project = make_project(tmp_path_factory.mktemp("branch-point") / "project")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        results = ("dvc.lock", "evaluation", "report", "models/.gitignore", "data/.gitignore")
        dvc("repro", "--quiet", folder=project)
        found = {"fresh": commit("A run", *results)}
        write_source(project, 0.9)
        found["stale"] = commit("Other images", "source")
        run(found["stale"], {"other": "trained"}, epochs=7)
        [_, found["good"]] = run(found["stale"], {"failed": "failed", "good": "trained"})
        git("tag", "--delete", "run/good")
        found["before"] = find("stale", found)
        git("tag", "run/good", found["good"])
        git("checkout", "--quiet", "main")
        Path("README.md").write_text("Words")
        found["words"] = commit("Words", "README.md")
        git("checkout", found["good"], "--", *results)
        found["tip"] = commit("Its run", *results)
    return found | {"project": str(project)}


def find(begun: str, history: dict[str, str]) -> str:
    """What a branch with a commit of its own, begun at one of these, is compared with, or why it is not."""
    git("checkout", "--quiet", "--force", "--detach", history[begun])
    write_source(Path(), 0.5)
    commit("Mine", "source")
    try:
        return find_branch_point("main").revision
    except NoResults as error:
        return str(error)


@pytest.fixture
def here(history: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.chdir(history["project"])
    return history


def test_a_committed_run_of_the_branch_point_itself_is_taken_and_not_that_of_the_tip(here: dict[str, str]) -> None:
    assert find("fresh", here) == here["fresh"]


def test_a_lock_that_was_never_renewed_is_not_taken(here: dict[str, str]) -> None:
    """The saved runs known then had other parameters, or had failed."""
    assert here["before"].startswith(f"the branch point {here['stale'][:8]} with main has no results of its own: its ")
    assert "have changed since for train" in here["before"]
    assert "`smallset run --save`" in here["before"]
    assert "\n" not in here["before"]


def test_the_saved_run_of_it_is_taken_also_where_only_words_have_changed_since(here: dict[str, str]) -> None:
    assert find("stale", here) == here["good"]
    assert find("words", here) == here["good"]
    # Nothing of it lies anywhere.
    assert git("worktree", "list").count("\n") == 0
    assert git("status", "--porcelain", "--untracked-files=no") == ""


def test_the_command_says_which_and_compares_with_it(here: dict[str, str]) -> None:
    find("words", here)
    runner = CliRunner()
    shown = runner.invoke(app, ["branch-point", "main"])
    assert (shown.exit_code, shown.stdout) == (0, f"{here['good']}\n")
    sources = dvc("metrics", "diff", "--json", shown.stdout.strip(), folder=Path())
    assert json.loads(sources)["report/summary.json"]["accuracy"]["old"] == 0.9
    for options in (["--base", "main", "HEAD"], []):
        refused = runner.invoke(app, ["compare", *options])
        assert refused.exit_code == 1
        assert "expected a revision or --base" in refused.output


def test_without_results_a_workflow_is_told_by_the_exit_code(here: dict[str, str]) -> None:
    git("tag", "--delete", "run/good")
    try:
        find("stale", here)
        shown = CliRunner().invoke(app, ["branch-point", "main"])
        assert (shown.exit_code, shown.stdout) == (8, "")
    finally:
        git("tag", "run/good", here["good"])


def test_a_difference_to_stale_results_is_said_loudly(
    here: dict[str, str], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.cli import compare_command

    git("checkout", "--quiet", "--force", "--detach", here["tip"])
    handed: list[list[str]] = []
    monkeypatch.setattr(compare_command.subprocess, "call", lambda command: handed.append(command) or 0)
    assert compare_command.compare(here["stale"], "main", "text") == 0
    told = handed[0][handed[0].index("--stale") + 1]
    assert told.startswith(f"{here['stale']}: its results are of an earlier state than what is there: ")
    assert "for train" in told
    assert handed[0].count("--stale") == 1


@pytest.mark.parametrize("base", ["nosuch", "--all", "", "main..HEAD", "HEAD:params.yaml"])
def test_what_is_no_revision_is_one_line(here: dict[str, str], base: str) -> None:
    with pytest.raises(FlowError, match=r"^[^\n]*expected a branch or another revision[^\n]*$"):
        find_branch_point(base)


def test_a_branch_with_nothing_in_common_is_one_line(here: dict[str, str]) -> None:
    git("checkout", "--quiet", "--force", "--orphan", "alone")
    commit("Alone", "source")
    with pytest.raises(FlowError, match="commits in common with HEAD, found none"):
        find_branch_point("main")
