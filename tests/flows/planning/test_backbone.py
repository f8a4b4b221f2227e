"""`flows.planning.backbone`: which stages that are to run take a preset for certain."""

import pytest

from flows.errors import FlowError
from flows.planning import backbone
from flows.planning.look import Look
from flows.project.graph import StageNode


@pytest.fixture
def required(tmp_path, monkeypatch):
    """Whether stages of these names, each with a change, ask for the presets of a project that has no preset."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "stages").mkdir()
    (tmp_path / "stages" / "look.py").touch()
    monkeypatch.setattr(backbone, "look", lambda *_, **__: Look(None, None, "no such preset"))
    monkeypatch.setattr(backbone, "is_kept", lambda _: False)

    def asked(params: str, *names: str) -> bool:
        (tmp_path / "params.yaml").write_text(params)
        try:
            backbone.require_backbone([StageNode(name, (), True, ("stages/lib modified",)) for name in names])
        except FlowError:
            return True
        return False

    return asked


@pytest.mark.parametrize("params", ["{}", "backbone: {candidates: []}", "backbone: {candidates: [null]}"])
def test_without_candidates_only_the_backbone_takes_a_preset(params, required):
    assert required(params, "split", "backbone")
    assert not required(params, "candidates", "candidate_features@first", "features")


def test_of_candidates_all_are_taken_at_once_and_later_only_one(required):
    params = "backbone: {candidates: [a, b]}"
    assert required(params, "candidates", "backbone")
    assert not required(params, "backbone", "candidate_features@first")
