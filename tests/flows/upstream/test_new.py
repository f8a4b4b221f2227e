"""A project begun from the pipeline: its history, its own parameters, nobody's results, and an upgrade later."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from flows.errors import FlowError
from flows.project.git import git
from flows.project.parameters import load
from flows.upstream import new
from flows.upstream.new import create
from flows.upstream.upgrade import upgrade
from tests.flows.upstream.test_upgrade import PIPELINE, ROOT, commit, write

MORE = {
    "params.yaml": "split:\n  train: 0.9 # somebody's own\n",
    "profiles/default.yaml": "split:\n  train: 0.4\n",
    ".gitattributes": (ROOT / ".gitattributes").read_text(),
}


@pytest.fixture
def pipeline(tmp_path: Path) -> Path:
    """A checkout of the pipeline with results, saved runs and a branch that is not `main`."""
    folder = tmp_path / "pipeline"
    folder.mkdir()
    git("init", "--quiet", "--initial-branch=work", folder=folder)
    write(folder, PIPELINE | MORE)
    commit(folder, "Start")
    git("branch", "runs/work", folder=folder)
    git("tag", "run/1", folder=folder)
    return folder


def test_a_project_has_the_pipeline_and_nobodys_results_and_takes_over_a_newer_one(
    pipeline: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = "\n".join(create(Path("my birds"), None, tmp_path, pipeline))
    project = tmp_path / "my birds"
    assert load((project / "params.yaml").read_text()) == {"split": {"train": 0.4}}
    left = [path.name for name in ("evaluation", "data") for path in (project / name).rglob("*") if path.is_file()]
    assert left == [".gitignore"]
    assert not (project / "dvc.lock").exists()
    assert git("status", "--short", folder=project) == ""
    assert git("for-each-ref", "--format=%(refname)", folder=project) == "refs/heads/main"
    assert git("remote", "get-url", "upstream", folder=project) == str(pipeline)
    assert "next: cd 'my birds' && " in said
    assert not list(tmp_path.glob(".*"))
    write(pipeline, {"stages/two.py": "a = 2\n", "dvc.lock": "schema: '2.0'\nof: the newer\n"})
    commit(pipeline, "Newer")
    monkeypatch.chdir(project)
    upgrade()
    assert (project / "stages" / "two.py").read_text() == "a = 2\n"
    assert not (project / "dvc.lock").exists()
    assert git("status", "--short") == ""


def test_newer_versions_come_from_where_the_pipeline_itself_came_from(pipeline: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    git("clone", "--quiet", str(pipeline), str(clone), folder=tmp_path)
    create(tmp_path / "one", None, tmp_path, clone)
    assert git("remote", "get-url", "upstream", folder=tmp_path / "one") == str(pipeline)
    # Unless it has commits that only it has.
    write(clone, {"stages/two.py": "a = 3\n"})
    commit(clone, "Mine")
    create(tmp_path / "two", None, tmp_path, clone)
    assert git("remote", "get-url", "upstream", folder=tmp_path / "two") == str(clone)


def test_what_cannot_be_made_leaves_nothing(pipeline: Path, tmp_path: Path) -> None:
    (tmp_path / "there").write_text("mine")
    (tmp_path / "zip").mkdir()
    (tmp_path / "zip" / "dvc.yaml").touch()
    before = sorted(tmp_path.iterdir())
    for folder, source, of, said in (
        ("there", None, pipeline, "something is there already"),
        ("new", None, tmp_path / "zip", "expected a git clone of the pipeline"),
        ("new", "nowhere", pipeline, "nowhere"),
    ):
        with pytest.raises(FlowError, match=said):
            create(tmp_path / folder, source, tmp_path, of)
    assert sorted(tmp_path.iterdir()) == before
    assert (tmp_path / "there").read_text() == "mine"


def test_what_appears_meanwhile_stays_and_another_that_is_being_made_too(
    pipeline: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = tmp_path / ".new.partial"
    theirs.mkdir()
    begin = new._begin

    def meanwhile(*arguments: object) -> object:
        (tmp_path / "new").mkdir()
        (tmp_path / "new" / "mine").touch()
        return begin(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(new, "_begin", meanwhile)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(FlowError, match="new: something has been put there meanwhile"):
        create(tmp_path / "new", None, tmp_path, pipeline)
    assert sorted(tmp_path.iterdir()) == sorted([*before, tmp_path / "new"])
    assert (tmp_path / "new" / "mine").exists()


def test_images_are_looked_at_and_set_as_a_run_would(tmp_path: Path) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("this is no git repository")
    for name, color in (("cat", "red"), ("dog", "blue")):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(6):
            Image.new("RGB", (40, 40 + number), color).save(tmp_path / "photos" / name / f"{number}.png")
    create(tmp_path / "project", "photos", tmp_path)
    params = load((tmp_path / "project" / "params.yaml").read_text())
    assert params["download"] | {"source": "folder", "path": str(tmp_path / "photos")} == params["download"]
    assert "cat" not in git("ls-files", folder=tmp_path / "project").split()


def test_a_backbone_that_cannot_be_had_is_part_of_what_comes_next(
    pipeline: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for no_preset, end in ((None, " run"), ("auto: cannot be reached", " run --preset PRESET")):
        found = SimpleNamespace(no_preset=no_preset)
        unchanged = SimpleNamespace(changes=[], text=(pipeline / "profiles/default.yaml").read_text())
        plan = SimpleNamespace(title="photos", changed=unchanged, found=found)
        monkeypatch.setattr("flows.upstream.new.make_plan", lambda _, plan=plan: plan)
        said = create(tmp_path / f"project{bool(no_preset)}", "photos", tmp_path, pipeline)
        assert said[-1].endswith(end)
        assert (no_preset in said) == bool(no_preset)
