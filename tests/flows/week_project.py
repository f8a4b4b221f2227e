"""The real pipeline on tiny images of birds, retrained day by day; for the test of a week."""

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from flows.project.git import git
from flows.registry import gto
from tests.flows.site import Site
from tests.flows.versions_project import checkout, dvc, remote
from tests.test_pipeline import MODELS, change_params, make_project

COLORS = {"robin": (200, 60, 40), "wren": (60, 160, 50), "heron": (60, 70, 200)}
PARAMS = {
    "common": {"image_size": 16, "batch_size": 32},
    "split": {"train": 0.4, "validation": 0.2, "test": 0.4, "near_duplicates": None},
    "scratch": {"filters": [4, 8], "epochs": 20, "min_steps": None, "learning_rate": 0.01},
    "backbone": {"enabled": False},
    "features": {"enabled": False},
    "label_issues": {"enabled": False},
} | {name: {"enabled": False} for name in MODELS if name != "scratch"}


@dataclass
class Day:
    """What one run came to.

    code: its exit code. told: event and text of each post of the webhook. used: the version in use afterwards.
    """

    title: str
    code: int
    said: str
    told: list[tuple[str, str]]
    used: str
    commit: str

    def events(self) -> list[str]:
        return [event for event, _ in self.told]

    def text(self) -> str:
        return " ".join([self.said, *(text for _, text in self.told)])


@dataclass
class Week:
    """A project whose images lie in a folder that grows, and what became of each day."""

    project: Path
    birds: Path
    site: Site
    days: list[Day] = field(default_factory=list)
    drawn: int = 0

    def add(self, folder: str, count: int, bird: str | None = None) -> None:
        """Add images of a bird to a folder, which is called like it unless said otherwise."""
        (self.birds / folder).mkdir(parents=True, exist_ok=True)
        for _ in range(count):
            rng = np.random.default_rng(self.drawn)
            noise = rng.integers(-40, 40, (16, 16, 3)) + np.array(COLORS[bird or folder])
            Image.fromarray(noise.clip(0, 255).astype(np.uint8)).save(self.birds / folder / f"{self.drawn:05}.png")
            self.drawn += 1

    def rename(self, **folders: str) -> None:
        """Rename folders of classes, all at once."""
        for old in folders:
            (self.birds / old).rename(self.birds / f".{old}")
        for old, new in folders.items():
            (self.birds / f".{old}").rename(self.birds / new)

    def retrain(self, title: str) -> Day:
        """One scheduled run, as a process of its own."""
        before = len(self.site.posts)
        options = ["--repository", str(remote(self.project)), "--checkout", str(checkout(self.project))]
        code, said = self.smallset("retrain", *options, "--width", "2")
        told = [(post["event"], post["text"]) for post in self.site.posts[before:]]
        found = gto.in_use(remote(self.project))
        used, commit = (found.version, found.commit) if found else ("", "")
        self.days.append(Day(title, code, said, told, used, commit))
        return self.days[-1]

    def smallset(self, *arguments: str, folder: Path | None = None) -> tuple[int, str]:
        """A command; its exit code and what it said."""
        done = subprocess.run(
            [sys.executable, "-m", "flows.cli", *arguments],
            cwd=folder or self.project,
            env=os.environ | {"PREFECT_LOGGING_LEVEL": "ERROR"},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, f"{done.stdout}{done.stderr}".strip()

    def by_hand(self, *arguments: str) -> str:
        """What a person does in the clean checkout, and tells the repository."""
        code, said = self.smallset(*arguments, "--branch", "main", "--push", folder=checkout(self.project))
        assert code == 0, said
        return said

    def table(self) -> str:
        """The week, a row per run."""
        rows = [("day", "exit", "in use", "told")]
        for day in self.days:
            told = "; ".join(f"{event}: {text}" for event, text in day.told)
            rows.append((day.title, str(day.code), day.used, told or f"(nothing; said: {day.said[-200:]})"))
        return "\n".join(" | ".join(row) for row in rows)


def start_week(folder: Path, site: Site) -> Week:
    """The real project in git with a DVC remote, of which one convnet is trained on a folder of birds."""
    project, birds = folder / "project", folder / "birds"
    make_project(project)
    change_params(project, PARAMS | {"download": {"source": "folder", "path": str(birds)}})
    git("init", "--quiet", "--bare", "--initial-branch=main", str(remote(project)), folder=project)
    git("config", "user.name", "Somebody", folder=project)
    git("config", "user.email", "somebody@example.com", folder=project)
    (folder / "storage").mkdir()
    dvc("remote", "add", "--default", "storage", str(folder / "storage"), folder=project)
    git("add", "--all", folder=project)
    git("commit", "--quiet", "--message", "Birds", folder=project)
    git("remote", "add", "origin", str(remote(project)), folder=project)
    git("push", "--quiet", "origin", "HEAD:main", folder=project)
    return Week(project, birds, site)
