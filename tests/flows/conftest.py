"""Toy DVC projects, run by the real DVC and the real Prefect in temporary directories."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tests.flows.site import Site, serving
from tests.flows.versions_project import make_project, save_run

Make = Callable[[dict], Path]


@pytest.fixture(scope="session", autouse=True)
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing of DVC or Prefect outside temporary directories."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path_factory.mktemp("site-cache")))
        patch.setenv("PREFECT_HOME", str(tmp_path_factory.mktemp("prefect")))
        patch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        patch.setenv("COLUMNS", "200")
        patch.delenv("PREFECT_API_URL", raising=False)
        yield


@pytest.fixture(scope="session")
def prefect_server(homes: None) -> Iterator[str]:
    """One server of Prefect for all tests of flows; its address."""
    from prefect.settings import PREFECT_API_URL
    from prefect.testing.utilities import prefect_test_harness

    import flows  # noqa: F401  (its settings come before Prefect)

    with prefect_test_harness(server_startup_timeout=120):
        yield str(PREFECT_API_URL.value())


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Make a project of these stages, and stand in it."""

    def made(stages: dict) -> Path:
        project = write_project(tmp_path / "project", stages)
        monkeypatch.chdir(project)
        return project

    return made


def write_project(project: Path, stages: dict) -> Path:
    """A project of these stages that has run nothing."""
    (project / ".dvc").mkdir(parents=True)
    (project / ".dvc" / "config").write_text("[core]\n    analytics = false\n")
    subprocess.run(["git", "init", "--quiet"], cwd=project, check=True)
    (project / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}, sort_keys=False))
    return project


@pytest.fixture
def dvc() -> Callable[..., str]:
    """Run DVC itself; returns what it printed, and fails where it fails."""

    def run(*arguments: str) -> str:
        done = subprocess.run([sys.executable, "-m", "dvc", *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with everything that a scheduled run needs."""
    return make_project(tmp_path / "project")


@pytest.fixture(scope="session")
def saved_project(homes: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with one saved run, promoted and pushed; only to be read and cloned."""
    from flows.registry import gto, publish
    from flows.registry.saved_runs import Workspace

    project = make_project(tmp_path_factory.mktemp("saved") / "project")
    gto.promote(save_run(project, "one", 0.8).commit, "the first", project)
    publish.publish(Workspace(project, "main"))
    return project


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A remote that is gone is given up at once."""
    from flows.registry import publish

    monkeypatch.setattr(publish, "FIRST_WAIT", 0.01)


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A web server; notifications go there."""
    with serving() as site:
        monkeypatch.setenv("SMALLSET_WEBHOOK", site.address)
        yield site
