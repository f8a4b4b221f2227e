"""A project with the real parameters and the real code of the stages, in which nothing runs."""

import shutil
from pathlib import Path

import pytest

from flows.planning.look import Look
from tests.packages import ROOT

PRESET = {"name": "convnet", "size": 224, "bytes": 9_500_000, "any_size": True}
IMAGES = {
    "files": 45,
    "looked_at": 45,
    "classes": {"robin": 20, "wren": 25},
    "layout": "the names of folders",
    "subsets": {},
    "folders_fit": False,
    "groups": 0,
    "ungrouped": 0,
    "unlabelled": [],
    "unlabelled_count": 0,
    "strays": [],
    "strays_count": 0,
    "broken": [],
    "broken_count": 0,
    "aside": "",
    "copies": 0,
    "contradicted": [],
    "contradicted_count": 0,
    "all_compared": True,
    "sizes": {"median": 800, "smallest": 700, "largest": 900},
    "divided": {"train": 20, "validation": 8, "test": 17},
    "least": {"train": 10, "validation": 4, "test": 8},
    "remarks": [],
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "profiles", folder / "profiles")
    for name in ("stages", "smallset", "safety"):
        (folder / name).symlink_to(ROOT / name)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A look that finds large photographs; the parameters that it looked by."""
    texts = []

    def look(text: str, known: bool = False, at_images: bool = True) -> Look:
        texts.append(text)
        return Look(IMAGES if at_images else None, PRESET, None)

    monkeypatch.setattr("flows.planning.plan.look", look)
    return texts
