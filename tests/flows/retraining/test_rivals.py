"""`flows.retraining.rivals`: which model before the one in use a new one is measured by, from tags and records."""

from pathlib import Path
from typing import Any

import pytest

from flows.project.git import git
from flows.registry import gto, saved_runs
from flows.registry.saved_runs import Workspace
from flows.retraining import rivals

BEST, AS_GOOD = {"is_best": True}, {"is_best": False}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository without a run."""
    git("init", "--quiet", "--initial-branch=main", folder=tmp_path)
    for key, value in (("user.name", "Somebody"), ("user.email", "somebody@example.com")):
        git("config", key, value, folder=tmp_path)
    (tmp_path / ".dvc").mkdir()
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    git("add", "--all", folder=tmp_path)
    git("commit", "--quiet", "--message", "Start", folder=tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def use(number: int, action: gto.Action | None = None, **record: Any) -> None:
    """Save a run and put its model into use: v1.0.0, v1.1.0 and so on."""
    found = {"id": str(number), "outcome": "trained", "decision": "promoted"} | record
    saved = saved_runs.save(found, Workspace(Path(), "main"), f"Run {number}")
    gto.promote(saved.commit, "why", action=action)


def anchor() -> str:
    present = gto.in_use()
    assert present
    return rivals.anchor(present).version


@pytest.mark.usefixtures("project")
def test_the_mark_is_the_last_that_was_shown_to_be_better_and_not_the_one_in_use() -> None:
    marks = []
    for number, record in enumerate((BEST, AS_GOOD, AS_GOOD, BEST, AS_GOOD)):
        use(number, **record)
        marks.append(anchor())
    assert marks == ["v1.0.0", "v1.0.0", "v1.0.0", "v1.3.0", "v1.3.0"]
    gto.hold("audit")
    assert anchor() == "v1.3.0"


@pytest.mark.usefixtures("project")
def test_what_a_person_chose_is_the_mark_and_what_a_person_took_out_of_use_is_none() -> None:
    use(0, **BEST)
    use(1, action="promote", decision="undecided", **AS_GOOD)
    assert anchor() == "v1.1.0"
    use(2, **BEST)
    assert anchor() == "v1.2.0"
    gto.rollback("wrong at night")
    assert (gto.in_use().version, anchor()) == ("v1.1.0", "v1.1.0")
    gto.rollback("and that one too")
    assert anchor() == "v1.0.0"


@pytest.mark.usefixtures("project")
def test_of_runs_of_earlier_versions_the_comparison_that_they_kept_counts() -> None:
    kept = [{"comparison": {"recommended": {"verdict": word}}} for word in ("better", "no difference shown")]
    for number, record in enumerate([BEST, kept[1], kept[0], kept[1]]):
        use(number, **record)
    assert anchor() == "v1.2.0"


@pytest.mark.usefixtures("project")
def test_the_first_in_use_is_the_mark_whatever_its_record_says() -> None:
    use(0, **AS_GOOD)
    use(1, **AS_GOOD)
    assert anchor() == "v1.0.0"
