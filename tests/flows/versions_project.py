"""A toy project with a training, an evaluation, a classifier, a git remote and a DVC remote; for tests of versions."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from flows.project.git import git

TOY = Path(__file__).with_name("toy")
STAGES = {
    "train": {
        "cmd": "python train.py",
        "deps": ["source", "train.py"],
        "params": ["train"],
        "outs": ["models/classifier"],
    },
    "evaluate": {
        "cmd": "python -m stages.evaluate --model models/classifier --evaluation evaluation/x "
        "--summary report/summary.json --manifest data/manifest.csv",
        "deps": ["models/classifier"],
        "outs": [{"evaluation/x/predictions.csv": {"cache": False}}, "data/manifest.csv"],
        "metrics": [{"report/summary.json": {"cache": False}}],
    },
}
GATE = {"min_accuracy": 0.5, "margin": 0.03, "anchor": "best", "max_relabelled": 0.1, "max_lost": 0.5}
ARTIFACTS = {"classifier": {"path": "models/classifier", "type": "model"}}


def dvc(*arguments: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "dvc", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def write_source(folder: Path, accuracy: float, **more) -> None:
    """What the model will be. more: `classes`, `bytes` of its weights."""
    source = {"accuracy": accuracy, "classes": ["cat", "dog"]} | more
    (folder / "source").write_text(json.dumps(source))


def commit_source(folder: Path, accuracy: float, **more) -> None:
    """Write it, commit it and push it."""
    write_source(folder, accuracy, **more)
    git("commit", "--quiet", "--all", "--message", f"Images of {accuracy}", folder=folder)
    git("push", "--quiet", "origin", "main", folder=folder)


def make_project(folder: Path) -> Path:
    """A project with one commit, pushed to `<folder>.git`; what DVC keeps goes to `<folder>-storage`."""
    shutil.copytree(TOY, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / ".dvc").mkdir()
    storage = folder.with_name(f"{folder.name}-storage")
    storage.mkdir()
    (folder / ".dvc" / "config").write_text(
        f"[core]\n    analytics = false\n    remote = storage\n['remote \"storage\"']\n    url = {storage}\n"
    )
    (folder / ".dvc" / ".gitignore").write_text("/tmp\n/cache\n/config.local\n")
    (folder / ".gitignore").write_text("/.smallset/\n__pycache__/\n")
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": STAGES, "artifacts": ARTIFACTS}, sort_keys=False))
    (folder / "params.yaml").write_text(yaml.safe_dump({"train": {"epochs": 1}, "gate": GATE}))
    write_source(folder, 0.8)
    remote = folder.with_name(f"{folder.name}.git")
    git("init", "--quiet", "--bare", "--initial-branch=main", str(remote), folder=folder)
    git("init", "--quiet", "--initial-branch=main", folder=folder)
    git("config", "user.name", "Somebody", folder=folder)
    git("config", "user.email", "somebody@example.com", folder=folder)
    git("add", "--all", folder=folder)
    git("commit", "--quiet", "--message", "Start", folder=folder)
    git("remote", "add", "origin", str(remote), folder=folder)
    git("push", "--quiet", "origin", "main", folder=folder)
    return folder


def clone(project: Path, name: str) -> Path:
    folder = project.with_name(name)
    git("clone", "--quiet", str(project.with_name(f"{project.name}.git")), str(folder), folder=project)
    git("config", "user.name", "Somebody", folder=folder)
    git("config", "user.email", "somebody@example.com", folder=folder)
    return folder


def moved_copy(project: Path, folder: Path) -> Path:
    """A copy, in a folder, of a project that is pushed, and of its two remotes, which it names where they lie now."""
    for name in (project.name, f"{project.name}.git", f"{project.name}-storage"):
        shutil.copytree(project.with_name(name), folder / name, symlinks=True)
    copy = folder / project.name
    config = copy / ".dvc" / "config"
    config.write_text(config.read_text().replace(str(project.parent), str(folder)))
    git("commit", "--quiet", "--message", "Elsewhere", ".dvc/config", folder=copy)
    git("remote", "set-url", "origin", str(folder / f"{project.name}.git"), folder=copy)
    git("push", "--quiet", "origin", "main", folder=copy)
    return copy


def repro(folder: Path, accuracy: float) -> None:
    write_source(folder, accuracy)
    dvc("repro", "--quiet", folder=folder)


def accuracy_of(model: Path) -> float:
    return json.loads((model / "model.keras").read_text())["accuracy"]


def remote(project: Path) -> Path:
    return project.with_name("project.git")


def checkout(project: Path) -> Path:
    return project.with_name("checkout")


def options(project: Path) -> list[str]:
    """Of `smallset retrain` and `schedule`, for `retrain` as a process of its own."""
    return ["--repository", str(remote(project)), "--checkout", str(checkout(project))]


def retrain(project: Path, **arguments) -> tuple[str, str]:
    """One scheduled run in this process: name and message of its state."""
    from flows.retraining.retrain import retrain

    state = retrain(str(remote(project)), checkout=str(checkout(project)), return_state=True, **arguments)
    return state.name, state.message


def saved(project: Path) -> list[tuple[str, str | None]]:
    """Outcome and decision of the runs that the git remote has, the latest first."""
    from flows.registry import saved_runs
    from flows.registry.saved_runs import Workspace

    return [
        (one.record["outcome"], one.record.get("decision"))
        for one in saved_runs.versions(Workspace(remote(project), "main"))
    ]


def has_data(project: Path, checksum: str) -> bool:
    """Whether the DVC remote has an output."""
    return (project.with_name("project-storage") / "files" / "md5" / checksum[:2] / checksum[2:]).exists()


def save_run(project: Path, name: str, accuracy: float, decision: str = "promoted"):
    """Run the toy and save the run, as retraining does; its version."""
    from flows.project.git import resolve
    from flows.registry import saved_runs
    from flows.registry.saved_runs import Workspace

    repro(project, accuracy)
    record = {
        "id": name,
        "branch": "main",
        "source": resolve("HEAD", project),
        "outcome": "trained",
        "decision": decision,
        "reason": "as \x1b[31mseen",
        "summary": json.loads((project / "report" / "summary.json").read_text()),
        "data": {"images": {"test": 200}},
        "run": {"started": "2026-11-24T03:00:00+00:00", "seconds": 61.2, "machine": {"cores": 2}},
    }
    return saved_runs.save(record, Workspace(project, "main"), "Run")
