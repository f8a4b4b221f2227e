"""A newer pipeline merged into a project with results, parameters and edits of its own; real git on a toy project."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.errors import FlowError
from flows.project.git import git
from flows.project.parameters import load
from flows.upstream.upgrade import upgrade

ROOT = Path(__file__).resolve().parents[3]
PIPELINE = {
    "dvc.yaml": "stages: {}\n",
    "dvc.lock": "schema: '2.0'\nof: the pipeline\n",
    "params.yaml": "split:\n  train: 0.4 # share\n  order: shuffle\nmodel:\n  epochs: 3\n",
    "stages/one.py": "a = 1\nb = 2\nc = 3\nd = 4\n",
    "stages/two.py": "a = 1\n",
    "evaluation/scratch/figures.json": '{"of": "the pipeline"}\n',
    "evaluation/scratch/metrics.json": '{"accuracy": 0.5, "of": "the pipeline"}\n',
    "evaluation/scratch/.gitignore": "/predictions.csv\n",
    "data/split.json": '{"cat": 1}\n',
    ".gitignore": "/.smallset/\n/old.bin\n",
}
NEWER = {
    "dvc.lock": "schema: '2.0'\nof: the newer pipeline\n",
    "params.yaml": "split:\n  train: 0.4 # share of each class\nmodel:\n  epochs: 5\n  mirror: true # both ways\n",
    "stages/one.py": "a = 1\nb = 2\nc = 3\nd = 5\n",
    "stages/three.py": "new = 1\n",
    "benchmarks/one.py": "new = 1\n",
    "evaluation/scratch/figures.json": '{"of": "the newer pipeline"}\n',
    "evaluation/fine_tuned/figures.json": '{"of": "the newer pipeline"}\n',
    "metrics/scratch.json": '{"accuracy": 0.6, "of": "the pipeline"}\n',
    "data/split.json": '{"cat": 2}\n',
    ".gitignore": "/.smallset/\n/sbom.json\n",
}
Write = Callable[[dict[str, str]], None]


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def commit(folder: Path, message: str) -> str:
    git("add", "--all", folder=folder)
    git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--message", message, folder=folder)
    return git("rev-parse", "HEAD", folder=folder)


@pytest.fixture
def pipeline(tmp_path: Path) -> Path:
    """The pipeline's repository, of an earlier version without attributes."""
    folder = tmp_path / "pipeline"
    folder.mkdir()
    git("init", "--quiet", "--initial-branch=main", folder=folder)
    write(folder, PIPELINE)
    commit(folder, "Start")
    return folder


@pytest.fixture
def project(pipeline: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone of it that a test stands in; the pipeline has a newer version since."""
    folder = tmp_path / "project"
    git("clone", "--quiet", str(pipeline), str(folder), folder=tmp_path)
    (pipeline / "evaluation" / "scratch" / "metrics.json").unlink()
    write(pipeline, {**NEWER, ".gitattributes": (ROOT / ".gitattributes").read_text()})
    commit(pipeline, "Newer")
    git("tag", "run/of-the-pipeline", folder=pipeline)
    monkeypatch.chdir(folder)
    return folder


def state(folder: Path) -> dict[str, str]:
    """Every file, and what git says of them."""
    files = [path for path in folder.rglob("*") if path.is_file() and not {".git", ".smallset"} & set(path.parts)]
    found = {path.relative_to(folder).as_posix(): path.read_text() for path in files}
    said = {" ".join(words): git(*words, folder=folder) for words in (("status", "--short"), ("rev-parse", "HEAD"))}
    return found | said | {"diff": git("diff", "--cached", folder=folder)}


def run(folder: Path) -> None:
    """As a run leaves it: own results, in no commit, one of them new."""
    write(
        folder,
        {
            "dvc.lock": "schema: '2.0'\nof: mine\n",
            "evaluation/scratch/figures.json": '{"of": "mine"}\n',
            "evaluation/scratch/metrics.json": '{"accuracy": 0.9, "of": "mine"}\n',
            "evaluation/scratch/per_class.csv": "mine\n",
            "data/split.json": '{"bird": 7}\n',
        },
    )


def test_a_worktree_of_somebodys_own_is_known_after_it_though_its_disk_is_not_there(project: Path) -> None:
    git("worktree", "add", "--quiet", "--detach", "../stick")
    (project.parent / "stick").rename(project.parent / "unplugged")
    upgrade()
    (project.parent / "unplugged").rename(project.parent / "stick")
    assert git("status", "--short", folder=project.parent / "stick") == ""
    listed = [line for line in git("worktree", "list", "--porcelain").splitlines() if line.startswith("worktree ")]
    assert listed == [f"worktree {project}", f"worktree {project.parent / 'stick'}"]


def test_results_and_parameters_stay_and_all_else_becomes_new(project: Path, pipeline: Path) -> None:
    run(project)
    write(project, {"params.yaml": PIPELINE["params.yaml"].replace("0.4", "100").replace("shuffle", "hash")})
    write(project, {"old.bin": "of the older pipeline", "birds/1.jpg": "an image"})
    before = git("rev-parse", "HEAD")
    said = upgrade()
    of = {name: (project / name).read_text() for name in ("dvc.lock", "evaluation/scratch/figures.json")}
    assert all("mine" in text for text in of.values())
    assert (project / "data/split.json").read_text() == '{"bird": 7}\n'
    assert (project / "evaluation/scratch/per_class.csv").exists()
    # Neither what the pipeline's own runs came to, nor what no stage writes any more.
    for foreign in ("evaluation/fine_tuned", "metrics", "evaluation/scratch/metrics.json"):
        assert not (project / foreign).exists()
    assert load((project / "params.yaml").read_text()) == {
        "split": {"train": 100},
        "model": {"epochs": 5, "mirror": True},
    }
    assert "# share of each class" in (project / "params.yaml").read_text()
    assert (project / "stages/one.py").read_text().endswith("d = 5\n")
    assert (project / "stages/three.py").exists()
    assert git("status", "--short") == "?? birds/\n?? old.bin"
    # Everything is in commits: what lay there is the first parent.
    first, second = git("show", "--no-patch", "--format=%P").split()
    assert git("rev-parse", f"{first}^") == before
    assert "mine" in git("show", f"{first}:evaluation/scratch/metrics.json")
    assert second == git("rev-parse", "HEAD", folder=pipeline)
    assert git("tag") == ""
    text = "\n".join(said)
    for part in (
        "committed first: data/split.json, dvc.lock, ",
        "pipeline: 1 commit from origin",
        "yours stay: split.train=100",
        "new: model.mirror=true",
        "new default: model.epochs: 3 -> 5",
        "split.order: gone, and yours was hash",
        "no longer ignored by git, yours or left by the older pipeline: old.bin",
        f"git reset --keep {first[:8]}",
    ):
        assert part in text
    assert upgrade()[0].startswith("the pipeline is as new as")


def test_own_images_where_the_older_pipeline_looked_for_them_are_not_lost_for_drawings(
    pipeline: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    params = "download:\n  source: sample\n  path: {}\n"
    write(pipeline, {"params.yaml": params.format("pictures"), ".gitignore": "/.smallset/\n/pictures/\n"})
    commit(pipeline, "As it was")
    git("clone", "--quiet", str(pipeline), "project", folder=tmp_path)
    write(pipeline, {"params.yaml": params.format("sources"), ".gitignore": "/.smallset/\n"})
    commit(pipeline, "Newer")
    monkeypatch.chdir(tmp_path / "project")
    write(Path(), {"pictures/cat/1.jpg": "mine"})
    said = "\n".join(upgrade())
    assert load(Path("params.yaml").read_text())["download"]["path"] == "pictures"
    assert "download.path: yours stays, pictures; the default went from pictures to sources" in said
    assert "no longer ignored by git, yours or left by the older pipeline: pictures/" in said


def test_edits_of_code_are_merged_and_what_was_deleted_stays_away(project: Path, pipeline: Path) -> None:
    write(project, {"stages/one.py": "a = 0\nb = 2\nc = 3\nd = 4\n", "stages/mine.py": "mine = 1\n"})
    (project / "stages/two.py").unlink()
    write(project, {".gitignore": PIPELINE[".gitignore"] + "/birds\n"})
    commit(project, "Mine")
    write(pipeline, {"stages/two.py": "a = 2\n"})
    commit(pipeline, "Newer still")
    said = "\n".join(upgrade())
    assert (project / "stages/one.py").read_text() == "a = 0\nb = 2\nc = 3\nd = 5\n"
    assert (project / "stages/mine.py").exists()
    assert not (project / "stages/two.py").exists()
    assert "still left out, as you deleted them: stages/two.py" in said
    assert set((project / ".gitignore").read_text().split()) == {"/.smallset/", "/old.bin", "/sbom.json", "/birds"}
    assert "committed first" not in said


@pytest.mark.parametrize(
    ("files", "committed", "said"),
    [
        ({"stages/one.py": "a = 1\nb = 2\nc = 3\nd = 6\n"}, True, "both you and the newer pipeline .*stages/one.py"),
        ({"stages/one.py": "a = 7\n"}, False, "edits of yours are in no commit: stages/one.py"),
        ({"stages/three.py": "mine = 1\n"}, False, "stages/three.py: the newer pipeline has such a file"),
        ({"benchmarks": "a file where it has a folder"}, False, "benchmarks: the newer pipeline has"),
        (
            {".gitignore": "/.smallset/\n/stages/three.py\n", "stages/three.py": "1\n"},
            True,
            "stages/three.py: the newer",
        ),
        ({"params.yaml": "- a\n"}, True, "params.yaml: expected YAML with sections"),
    ],
)
def test_where_something_is_in_the_way_all_stays_as_it_was(
    project: Path, files: dict[str, str], committed: bool, said: str
) -> None:
    write(project, files)
    if committed:
        commit(project, "Mine")
    run(project)
    git("add", "dvc.lock")
    before = state(project)
    with pytest.raises(FlowError, match=said) as refused:
        upgrade()
    assert "\n" not in str(refused.value)
    assert state(project) == before
    assert len(git("worktree", "list").splitlines()) == 1


def test_a_merge_that_cannot_be_laid_down_is_taken_back(project: Path) -> None:
    run(project)
    before = state(project)
    # Another git is at work.
    lock = project / ".git" / "index.lock"
    lock.touch()
    with pytest.raises(FlowError, match=r"index\.lock"):
        upgrade()
    lock.unlink()
    assert state(project) == before


def test_results_of_a_project_that_has_none_stay_none(project: Path) -> None:
    for name in ("dvc.lock", "evaluation/scratch/figures.json", "evaluation/scratch/metrics.json", "data/split.json"):
        (project / name).unlink()
    commit(project, "A project of my own")
    upgrade()
    assert not (project / "dvc.lock").exists()
    assert [path.name for path in (project / "evaluation").rglob("*") if path.is_file()] == [".gitignore"]


@pytest.mark.parametrize("revision", [None, "v2"])
def test_the_pipeline_is_named_once_and_its_tags_stay_where_they_are(
    project: Path, pipeline: Path, revision: str | None
) -> None:
    git("tag", "v2", folder=pipeline)
    git("remote", "remove", "origin")
    with pytest.raises(FlowError, match="smallset upgrade --from ADDRESS"):
        upgrade(revision)
    upgrade(revision, str(pipeline))
    assert git("remote", "get-url", "upstream") == str(pipeline)
    git("fetch", "--quiet", "upstream")
    assert git("tag") == ""
    assert upgrade()[0].startswith("the pipeline is as new as")


@pytest.mark.parametrize("revision", ["nothing", "+main:main", "--upload-pack=touch x", "main~0", "HEAD:refs/heads/x"])
def test_a_revision_is_a_name_and_nothing_else(project: Path, revision: str) -> None:
    before = state(project)
    with pytest.raises(FlowError):
        upgrade(revision)
    assert state(project) == before


def test_git_in_the_middle_of_something_or_on_no_branch_is_told(project: Path) -> None:
    git("checkout", "--quiet", "--detach")
    with pytest.raises(FlowError, match="git switch"):
        upgrade()
    git("checkout", "--quiet", "main")
    write(project, {"stages/one.py": "a = 1\nb = 2\nc = 3\nd = 6\n"})
    commit(project, "Mine")
    merging = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "pull", "--quiet", "--no-rebase", "origin", "main"]
    subprocess.run(merging, capture_output=True, check=False)
    with pytest.raises(FlowError, match="middle of something"):
        upgrade()
