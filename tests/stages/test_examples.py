"""The examples in docstrings, which a person would copy into a notebook, run in a folder as a project leaves it."""

import doctest
from importlib import import_module
from pathlib import Path

import pytest

MODULES = (
    "smallset.images.decode",
    "stages.lib.images.manifest",
    "stages.lib.networks.saved_model",
    "stages.lib.inference.forward",
    "stages.predict",
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, two_classes) -> Path:
    from stages.lib.networks import build, saved_model

    folder = tmp_path_factory.mktemp("project")
    (folder / "data").mkdir()
    (folder / "data" / "dataset").symlink_to(two_classes[0])
    (folder / "data" / "manifest.csv").symlink_to(two_classes[1])
    (folder / "models" / "scratch").mkdir(parents=True)
    model = build.convnet(32, "rgb", [4], True, 0.0, 2)
    (folder / "models" / "scratch" / "summary.json").write_text('{"stage": "scratch"}')
    saved_model.save(model, folder / "models" / "scratch" / "model.keras", ["cat", "dog"])
    return folder


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_give_what_they_say(name, project, monkeypatch):
    monkeypatch.chdir(project)
    module = import_module(name)
    tried = doctest.testmod(module, extraglobs={"Path": Path})
    assert tried.attempted > 0
    assert tried.failed == 0
