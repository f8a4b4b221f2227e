"""A stranger's commit, laid down to see whether its results are its own: its links reach no file of this machine."""

import pytest

from flows.project.git import git, resolve
from flows.project.staleness import snapshot

STAGES = {"make": {"cmd": "true", "deps": ["source"], "metrics": [{"metrics/a.json": {"cache": False}}]}}
LOCK = "schema: '2.0'\nstages: {}\n"


@pytest.fixture
def victim(tmp_path):
    folder = tmp_path / "victim"
    folder.mkdir()
    for name in ("config.local", "a.json"):
        (folder / name).write_text("precious")
    return folder


def hostile(project, links: dict[str, str]) -> str:
    (project / "dvc.lock").write_text(LOCK)
    for name, target in links.items():
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).symlink_to(target)
    git("add", "--all")
    git("add", "--force", *links)
    git("-c", "user.name=Somebody", "-c", "user.email=s@example.com", "commit", "--quiet", "--message", "Hostile")
    return str(resolve("HEAD"))


@pytest.mark.parametrize("owned", [False, True])
@pytest.mark.parametrize(
    ("name", "target"),
    [
        (".dvc/config.local", "{}/config.local"),
        ("metrics", "{}"),
        ("there", "../../../../../../../../../..{}"),
        ("round", "round"),
    ],
)
def test_links_out_of_it_are_not_followed(make, victim, name, target, owned):
    commit = hostile(make(STAGES), {name: target.format(victim)})
    with snapshot(commit) as files:
        files.stale()
        if owned:
            (files._folder / "dvc.lock").unlink()
            files.commit = "another"
            files.stale(commit)
    found = {file.name: file.read_text() for file in victim.iterdir()}
    assert found == {"config.local": "precious", "a.json": "precious"}


def test_a_linked_folder_of_dvc_is_not_written_to(make, victim):
    project = make(STAGES)
    (project / ".dvc" / "config").unlink()
    (project / ".dvc").rmdir()
    commit = hostile(project, {".dvc": str(victim)})
    with snapshot(commit) as files:
        files.stale()
    assert (victim / "config.local").read_text() == "precious"


def test_links_inside_stay(make):
    project = make(STAGES)
    (project / "real").write_text("here")
    with snapshot(hostile(project, {"source": "real"})) as files:
        assert (files._folder / "source").read_text() == "here"
