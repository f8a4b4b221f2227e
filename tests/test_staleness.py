"""What makes a stage stale, as `dvc status` says on the real dvc.yaml, and what does not."""

import json
import py_compile
from pathlib import Path

import pytest
import yaml

from tests.packages import FLOWS, LIB, ROOT, SMALLSET
from tests.staleness import committed_copy, dvc, place_of, row, stale_after

PAGE = (ROOT / "docs" / "debugging.md").read_text(encoding="utf-8")
HOUSES = (("stages/lib", LIB), ("smallset", SMALLSET), ("flows", FLOWS))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return committed_copy(tmp_path_factory.mktemp("committed") / "project")


@pytest.mark.slow
def test_neither_what_python_leaves_beside_the_code_nor_core_makes_anything_stale(project: Path) -> None:
    lock = (project / "dvc.lock").read_bytes()
    for module in project.glob("stages/**/*.py"):
        py_compile.compile(str(module), doraise=True)
    assert list(project.glob("stages/lib/training/__pycache__/*.pyc"))
    assert row("stages/lib/core", stale_after(project / "stages/lib/core/errors.py", project)) in PAGE
    dvc(project, "commit", "--force")
    assert (project / "dvc.lock").read_bytes() == lock


@pytest.mark.slow
def test_an_inert_edit_is_accepted_stage_by_stage(project: Path) -> None:
    """As docs/debugging.md says; the lock goes back to what it was with the edit."""
    edited = project / "stages" / "lib" / "drawing" / "pen.py"
    before, lock = edited.read_bytes(), (project / "dvc.lock").read_bytes()
    assert "dvc commit --force" in PAGE
    edited.write_bytes(before + b"# One comment more.\n")
    try:
        dvc(project, "commit", "--force", "download")
        stale = set(json.loads(dvc(project, "status", "--json"))) | {"download"}
    finally:
        edited.write_bytes(before)
    assert row("stages/lib/drawing", sorted(stale)) in PAGE
    dvc(project, "commit", "--force", "download")
    assert (project / "dvc.lock").read_bytes() == lock


def test_the_table_of_the_page_has_every_package() -> None:
    folders = [ROOT / house / name for house, names in HOUSES for name in names]
    packages = [place_of(folder).relative_to(ROOT).as_posix() for folder in folders]
    rows = [line for line in PAGE.splitlines() if line.startswith(tuple(f"| `{house}/" for house, _ in HOUSES))]
    named = [row.split("`")[1] for row in rows]
    assert named == packages


def test_the_table_says_which_stages_name_a_package_as_their_dependency() -> None:
    """What DVC makes of that is tried above on two packages, by hand; `python -m tests.staleness` tries all."""
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    deps = {name: set(stage.get("do", stage)["deps"]) for name, stage in stages.items()}
    for house, names in HOUSES:
        for package in (place_of(ROOT / house / name).relative_to(ROOT).as_posix() for name in names):
            assert row(package, sorted(name for name, named in deps.items() if package in named)) in PAGE
