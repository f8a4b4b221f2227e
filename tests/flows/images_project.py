"""A toy project with the real stage `download` on images of one's own; for tests of whose images are taken."""

import shutil
import zipfile
from pathlib import Path

import yaml

from flows.project.git import git
from tests.flows.versions_project import dvc, make_project

ROOT = Path(__file__).resolve().parents[2]
DOWNLOAD = {
    "cmd": "python -m stages.download --archive data/raw.zip",
    "deps": ["${download.path}"],
    "params": ["download"],
    "outs": ["data/raw.zip"],
}
TRAIN = """

class TrainParams(Params):
    model_config = {"extra": "allow"}


SECTIONS["train"] = TrainParams
"""
SAMPLE = {"source": "sample", "path": "sources"}


def folder_at(path: Path | str) -> dict:
    return {"source": "folder", "path": str(path)}


def make_images_project(folder: Path) -> Path:
    """The project of `versions_project` with a first stage `download`; its parameters ask for drawings."""
    make_project(folder)
    shutil.copy(ROOT / "stages" / "download.py", folder / "stages")
    for name in ("safety", "smallset"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "stages" / "lib", folder / "stages" / "lib", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "sources", folder / "sources")
    content = yaml.safe_load((folder / "dvc.yaml").read_text())
    content["stages"] = {"download": DOWNLOAD} | content["stages"]
    (folder / "dvc.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    # A section of the toy's own; every other one is the real one, since a stage checks all of them.
    with (folder / "stages" / "lib" / "core" / "sections.py").open("a") as sections:
        sections.write(TRAIN)
    params = yaml.safe_load((ROOT / "params.yaml").read_text()) | yaml.safe_load((folder / "params.yaml").read_text())
    params["download"]["sample_per_class"] = 1
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    commit(folder, "Drawings")
    return folder


def set_params(folder: Path, **download) -> None:
    params = yaml.safe_load((folder / "params.yaml").read_text())
    params["download"] |= download
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))


def commit(folder: Path, message: str) -> None:
    """Commit everything that git does not ignore, and push it."""
    git("add", "--all", folder=folder)
    git("commit", "--quiet", "--message", message, folder=folder)
    git("push", "--quiet", "origin", "main", folder=folder)


def write_birds(folder: Path, *names: str) -> Path:
    for name in names or ("robin/1.jpg", "wren/1.jpg"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
    return folder


def put_under_dvc(project: Path, way: str, path: str = "birds") -> None:
    """Let DVC track a folder of images at `path`: by `add`, `import` (of another repository), or `import-url`."""
    elsewhere = project.with_name("elsewhere")
    if way == "add":
        write_birds(project / path)
        dvc("add", path, folder=project)
    elif way == "import-url":
        dvc("import-url", str(write_birds(elsewhere / "birds")), path, folder=project)
    else:
        elsewhere.mkdir()
        git("init", "--quiet", folder=elsewhere)
        git("config", "user.name", "Somebody", folder=elsewhere)
        git("config", "user.email", "somebody@example.com", folder=elsewhere)
        dvc("init", "--quiet", folder=elsewhere)
        write_birds(elsewhere / "birds")
        dvc("add", "birds", folder=elsewhere)
        git("add", "--all", folder=elsewhere)
        git("commit", "--quiet", "--message", "Birds", folder=elsewhere)
        dvc("import", str(elsewhere), "birds", "--out", path, folder=project)


def taken(folder: Path) -> list[str]:
    """Names of what `download` has taken."""
    with zipfile.ZipFile(folder / "data" / "raw.zip") as archive:
        return archive.namelist()
