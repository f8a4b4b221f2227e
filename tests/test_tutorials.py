"""The tutorials, followed block by block in a copy of the project; with tiny parameters where they train."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.packages import ROOT
from tests.test_pipeline import TINY, change_params, make_project

TUTORIALS = ROOT / "docs" / "tutorials"
_BLOCK = re.compile(r"^```(bash|diff|python|yaml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SMALLSET = f'#!/bin/sh\nexec "{sys.executable}" -m flows.cli "$@"\n'


def blocks(name: str) -> list[tuple[str, str]]:
    """The blocks of a tutorial that do something: language and text. Those without a language are only read."""
    return _BLOCK.findall((TUTORIALS / f"{name}.md").read_text(encoding="utf-8"))


def follow(language: str, text: str, folder: Path) -> None:
    """Do in a folder what a block says."""
    if language == "bash":
        run(text, folder)
    elif language == "python":
        first = text.partition("\n")
        (folder / first[0].removeprefix("# ")).write_text(first[2], encoding="utf-8")
    elif language == "yaml":
        change_params(folder, yaml.safe_load(text))
    else:
        edit(text, folder)


def edit(text: str, folder: Path) -> None:
    """Change the file that the first line names; what a block shows of it stands there once."""
    name, *lines = text.splitlines(keepends=True)
    file = folder / name.strip()
    before, after = ("".join(line[1:] for line in lines if line[0] in kinds) for kinds in (" -", " +"))
    content = file.read_text(encoding="utf-8")
    assert content.count(before) == 1, f"{file.name} has {content.count(before)} times:\n{before}"
    file.write_text(content.replace(before, after), encoding="utf-8")


def run(script: str, folder: Path) -> None:
    """Run a block of commands; `smallset` is the one of this code."""
    tools = folder.parent / "tools"
    tools.mkdir(exist_ok=True)
    (tools / "smallset").write_text(_SMALLSET)
    (tools / "smallset").chmod(0o755)
    environment = os.environ | {
        "PATH": os.pathsep.join([str(tools), str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PYTHONPATH": str(folder),
        "DVC_SITE_CACHE_DIR": str(folder.parent / "site-cache"),
        "PREFECT_HOME": str(folder.parent / "prefect"),
        "DVC_NO_ANALYTICS": "1",
        "DO_NOT_TRACK": "1",
        **{
            f"GIT_{who}_{what}": "somebody@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
        },
    }
    environment.pop("PREFECT_API_URL", None)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"


def with_tests(folder: Path) -> Path:
    """A project with what the contract test looks at besides."""
    make_project(folder)
    (folder / "tests").mkdir()
    for name in ("conftest.py", "contract.py", "packages.py", "test_contract.py"):
        shutil.copy(ROOT / "tests" / name, folder / "tests")
    for name in ("pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, folder)
    shutil.copy(ROOT / "params.yaml", folder)
    return folder


def test_a_sixth_model_meets_the_contract(tmp_path: Path) -> None:
    """As far as nothing trains."""
    folder = with_tests(tmp_path / "project")
    for language, text in blocks("a_sixth_model"):
        if language != "bash":
            follow(language, text, folder)
    run("python -m pytest -n 0 -p no:cacheprovider tests/test_contract.py", folder)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_sixth_model(tmp_path: Path) -> None:
    folder = with_tests(tmp_path / "project")
    for language, text in blocks("a_sixth_model"):
        if language == "bash":
            change_params(folder, TINY | {"linear_probe": {"epochs": 2, "min_steps": None}})
        follow(language, text, folder)
    run("dvc repro", folder)
    assert "linear_probe" in (folder / "report" / "accuracy.csv").read_text()


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_your_own_images(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "project")
    change_params(folder, {"split": {"train": 0.4, "validation": 0.2, "test": 0.4}})
    for language, text in blocks("your_own_images"):
        follow(language, text, folder)
    assert "circle" in (folder / "probabilities.csv").read_text()
    assert (folder / "report" / "run.html").is_file()
