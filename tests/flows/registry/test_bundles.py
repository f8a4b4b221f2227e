"""The classifier of another commit, for `smallset predict --model`."""

import os
import shutil

import pytest

from flows.cli.predict_command import find
from flows.registry import bundles
from smallset.errors import UserError
from tests.flows.versions_project import accuracy_of, clone, moved_copy


@pytest.fixture
def project(saved_project, tmp_path, monkeypatch):
    """A fresh clone, which has nothing of DVC's yet, and a folder that is not the project's to stand in."""
    fresh = clone(moved_copy(saved_project, tmp_path), "fresh")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.setenv("SMALLSET_PROJECT", str(fresh))
    return fresh


def test_the_classifier_of_a_version_a_run_or_a_commit_is_fetched_once(project, monkeypatch):
    found = find("in-use")
    assert accuracy_of(found.directory) == 0.8
    assert found.directory.is_relative_to(project / ".smallset")
    assert found.why_keras.endswith("is no bundle, which only the classifier is handed over as")
    assert not (project / "models").exists()
    # The remote is gone, and nothing asks for it.
    shutil.rmtree(project / ".dvc")
    for name in ("production", "classifier#production", "v1.0.0", "classifier@v1.0.0", "run/one", "one"):
        assert find(name) == found, name
    for name in ("v9.9.9", "-x", "no such", "a/b", "../classifier"):
        with pytest.raises(UserError, match=f"{name}: expected the directory of a bundle, in-use, a version"):
            find(name)
    with pytest.raises(UserError, match=r"classifier, which a whole run makes .* Found: none; run `smallset run`"):
        find(None)


def test_a_run_of_the_head_alone_has_left_a_model_that_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("SMALLSET_PROJECT", str(tmp_path))
    (tmp_path / "models" / "feature_extraction").mkdir(parents=True)
    (tmp_path / "models" / "feature_extraction" / "model.keras").touch()
    with pytest.raises(UserError, match=r"classifier, which a whole run makes .* model\)\. Found: feature_extraction"):
        find(None)


def test_what_cannot_be_fetched_is_one_line_and_leaves_nothing(project):
    with pytest.raises(UserError, match=r"origin/main: .*expected a directory models/classifier|not in DVC"):
        find("origin/main")
    assert list((project / ".smallset" / "bundles").iterdir()) == []


def test_few_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr("flows.project.revisions.fetch_directory", lambda commit, path, folder: folder.mkdir())
    commits = [letter * 40 for letter in "abcdef"]
    monkeypatch.setattr(bundles, "git", lambda *arguments, folder: "")
    monkeypatch.setattr(bundles, "commit_named", lambda name, project: name)
    for number, name in enumerate(commits):
        os.utime(bundles.at_revision(name, tmp_path), (number, number))
    assert {one.name for one in (tmp_path / ".smallset" / "bundles").iterdir()} == set(commits[2:])
