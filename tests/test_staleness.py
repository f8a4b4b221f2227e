"""What makes a stage stale, as `dvc status` says on the real dvc.yaml, and what does not."""

import json
import py_compile
from pathlib import Path

import pytest

from tests.packages import FLOWS, LIB, ROOT, SMALLSET
from tests.staleness import committed_copy, dvc, place_of, row, stale_after, table

PAGE = (ROOT / "docs" / "debugging.md").read_text(encoding="utf-8")


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
    dvc(project, "commit", "--force", "download")
    assert set(json.loads(dvc(project, "status", "--json"))) == {"backbone"}
    edited.write_bytes(before)
    dvc(project, "commit", "--force", "download")
    assert (project / "dvc.lock").read_bytes() == lock


def test_the_table_of_the_page_has_every_package() -> None:
    houses = (("stages/lib", LIB), ("smallset", SMALLSET), ("flows", FLOWS))
    folders = [ROOT / house / name for house, names in houses for name in names]
    packages = [place_of(folder).relative_to(ROOT).as_posix() for folder in folders]
    rows = [line for line in PAGE.splitlines() if line.startswith(tuple(f"| `{house}/" for house, _ in houses))]
    named = [row.split("`")[1] for row in rows]
    assert named == packages


@pytest.mark.slow
def test_every_edit_makes_stale_what_the_table_of_the_page_says(project: Path) -> None:
    assert [line for line in table(project) if line not in PAGE] == []
