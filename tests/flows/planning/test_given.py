"""Images as people type them."""

from pathlib import Path

import pytest

from flows.exit_codes import ExitCode
from flows.planning.errors import UsageError
from flows.planning.given import own_labels, understand
from tests.packages import ROOT


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "dvc.yaml").write_text((ROOT / "dvc.yaml").read_text())
    return folder


def made(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).mkdir(parents=True)
    return folder


def path_of(text: str, where: Path, project: Path) -> str:
    given = understand(text, where, project)
    assert given.values["download.source"] == "folder"
    return given.values["download.path"]


@pytest.mark.parametrize(
    "name", ["birds", "my birds", 'Ann\'s "birds"', "Vögel und Bäume", "$(rm -rf .)", "-rf", "a${b}", "鳥"]
)
def test_a_folder_is_meant_from_where_it_was_typed(tmp_path, project, name):
    made(tmp_path / "there", name)
    assert path_of(name, tmp_path / "there", project) == str(tmp_path / "there" / name)
    assert path_of(f"./x/../{name}/", tmp_path / "there", project) == str(tmp_path / "there" / name)


def test_the_home_folder_and_what_is_really_called_so(tmp_path, project, monkeypatch):
    monkeypatch.setenv("HOME", str(made(tmp_path / "home", "birds")))
    assert path_of("~/birds", tmp_path, project) == str(tmp_path / "home" / "birds")
    made(tmp_path, "~/birds")
    assert path_of("~/birds", tmp_path, project) == str(tmp_path / "~" / "birds")


def test_what_is_not_in_the_home_folder_is_looked_for_there(tmp_path, project, monkeypatch):
    home = made(tmp_path / "home", "birds")
    monkeypatch.setenv("HOME", str(home))
    with pytest.raises(UsageError, match=rf"\({home}/brids\); is birds meant"):
        understand("~/brids", tmp_path, project)


def test_within_the_project_the_path_is_one_that_git_can_keep(project):
    made(project, "own/birds")
    assert path_of("birds", project / "own", project) == "own/birds"


def test_windows_writes_paths_in_its_own_way(tmp_path, project):
    made(tmp_path, "photos/birds")
    assert path_of("photos\\birds", tmp_path, project) == str(tmp_path / "photos" / "birds")
    made(tmp_path, "C:\\birds")
    assert path_of("C:\\birds", tmp_path, project) == str(tmp_path / "C:\\birds")
    with pytest.raises(UsageError, match="nothing is there"):
        understand("Q:\\nowhere\\birds", tmp_path, project)


def test_addresses(tmp_path, project):
    given = understand("https://example.com/birds.zip?key=secret", tmp_path, project)
    assert given.values == {
        "download.source": "url",
        "download.path": "sources",
        "download.url": "https://example.com/birds.zip?key=secret",
    }
    assert "secret" not in given.title
    made(tmp_path, "my birds")
    assert path_of((tmp_path / "my birds").as_uri(), project, project) == str(tmp_path / "my birds")


def test_a_csv_means_the_images_beside_it(tmp_path, project):
    made(tmp_path, "birds")
    (tmp_path / "birds" / "Labels.CSV").write_text("path,label\n")
    given = understand("birds/Labels.CSV", tmp_path, project)
    assert given.values["download.path"] == str(tmp_path / "birds")
    assert given.values["split.labels"] == "Labels.CSV"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a folder of images"),
        (" ", "expected a folder of images"),
        ("a\0b", "expected a folder of images"),
        ("brids", r"nothing is there .* is birds meant\?"),
        ("x" * 5000, "nothing is there"),
        ("~nobody-of-this-name/birds", "nothing is there"),
        ("s3://bucket/birds", "dvc import-url"),
        ("project", "holds the project itself"),
        (".", "holds the project itself"),
        ("project/sources", "stands for no images"),
        ("project/data", r"a run writes data/raw\.zip there"),
        ("project/models/scratch/x", "a run writes models/scratch there"),
        ("project/evaluation", "a run writes evaluation there"),
        ("project/.git", r"a run writes \.git there"),
    ],
)
def test_what_cannot_be_meant_is_one_line(tmp_path, project, text, message):
    made(tmp_path, "birds", "project/sources", "project/data/dataset", "project/models/scratch/x", "project/evaluation")
    made(project, ".git")
    with pytest.raises(UsageError, match=message) as caught:
        understand(text, tmp_path, project)
    assert caught.value.code is ExitCode.USAGE
    assert "\n" not in str(caught.value)


def test_a_link_to_what_a_run_writes_is_seen_through(tmp_path, project):
    made(project, "data")
    (tmp_path / "birds").symlink_to(project / "data")
    with pytest.raises(UsageError, match="a run writes"):
        understand("birds", tmp_path, project)


def test_a_table_belongs_to_its_images(tmp_path, project):
    made(tmp_path, "birds", "fish")
    (tmp_path / "fish" / "labels.csv").write_text("path,label\n")
    birds, fish = (understand(name, tmp_path, project) for name in ("birds", "fish"))
    assert own_labels("labels.csv", birds, project)
    assert not own_labels("labels.csv", fish, project)
    assert not own_labels("auto", birds, project)
    assert not own_labels("^(?P<label>[^/]+)/", birds, project)
    assert own_labels("labels.csv", understand("https://example.com/x.zip", tmp_path, project), project)
