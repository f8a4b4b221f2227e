"""`smallset run SOURCE` from what is typed to the flow, which is not run here."""

import json
import logging
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli import run_command, running
from flows.errors import FlowError
from flows.execution.process_output import Outcome, StageResult
from flows.planning import plan as planning
from flows.planning.duration import PACE
from flows.planning.plan import Asked
from flows.planning.stages import stage_names
from flows.project import profiles
from flows.project.graph import StageNode
from flows.project.workspace import AtWork, exclusive
from flows.run.provenance import recorded
from tests.flows.planning.conftest import IMAGES


@pytest.fixture
def runs(project, monkeypatch):
    """The flow's place: what it was asked for, and the images that were set when it was."""
    asked = []

    def run(width, save, workers=None, only=None, expected=None):
        asked.append((only, profiles.value_of("download.path")))
        return []

    names = stage_names()
    nodes = [StageNode(name, tuple(names[:1] if place else ()), False, ("new",)) for place, name in enumerate(names)]
    monkeypatch.setattr(run_command, "run_and_show", run)
    monkeypatch.setattr(run_command, "read_stages", lambda: tuple(nodes))
    return asked


@pytest.fixture
def asked(tmp_path, seen):
    (tmp_path / "birds").mkdir()
    return Asked(tmp_path, "birds")


def test_it_says_what_it_found_and_will_do_writes_that_and_runs(runs, asked, capsys):
    run_command.plan_and_run(asked, ["head"], None, False)
    assert runs == [
        (["download", "feature_extraction", "evaluate@feature_extraction"], asked.where.joinpath("birds").as_posix())
    ]
    lines = capsys.readouterr().out
    order = ["45 images of 2 classes", "params.yaml:", "scratch.enabled: true -> false", "plan:", "about", "few images"]
    places = [lines.index(part) for part in order]
    assert places == sorted(places)
    # The plan is of these stages alone.
    assert "models: head (feature_extraction)\n" in lines
    # The second time nothing is left to say of parameters.
    run_command.plan_and_run(asked, [], None, False)
    assert "->" not in capsys.readouterr().out
    assert runs[1][0] is None


def test_dvc_draws_no_bars_over_the_plan(runs, asked, monkeypatch):
    from dvc.progress import Tqdm

    terminal, off, read = StringIO(), [], run_command.read_stages
    terminal.isatty = lambda: True
    monkeypatch.setattr(run_command, "read_stages", lambda: off.append(Tqdm([], file=terminal).disable) or read())
    logging.getLogger("dvc.progress").setLevel(logging.NOTSET)
    run_command.plan_and_run(asked, [], None, False)
    assert off == [True]


def test_to_look_is_to_change_nothing(runs, asked, capsys):
    before = Path("params.yaml").read_bytes()
    run_command.look_and_plan(replace(asked, to_look=True), ["head"])
    lines = capsys.readouterr().out
    assert "params.yaml would change:" in lines
    assert "models: head" in lines
    assert "fine" not in lines.partition("models:")[2].partition("\n")[0]
    assert Path("params.yaml").read_bytes() == before
    assert runs == []


def test_a_backbone_that_cannot_be_had_stops_all_before_anything_is_written(runs, asked, capsys, monkeypatch):
    found = planning.look("")
    monkeypatch.setattr(planning, "look", lambda text, known: replace(found, no_preset="convnet cannot be reached"))
    before = Path("params.yaml").read_bytes()
    for start in (
        lambda: run_command.plan_and_run(asked, [], None, False),
        lambda: run_command.look_and_plan(asked, []),
    ):
        with pytest.raises(FlowError, match="cannot be reached"):
            start()
        assert "45 images" in capsys.readouterr().out
    assert Path("params.yaml").read_bytes() == before
    assert runs == []


def test_another_backbone_is_looked_for_though_the_images_stay(runs, tmp_path, capsys):
    before = Path("params.yaml").read_bytes()
    with pytest.raises(FlowError, match="no/such: no such directory"):
        run_command.plan_and_run(Asked(tmp_path, preset="no/such"), [], None, False)
    assert (runs, Path("params.yaml").read_bytes()) == ([], before)
    run_command.plan_and_run(Asked(tmp_path, settings=["backbone.preset=sample"]), [], None, False)
    assert "backbone: sample, images at 64 x 64" in capsys.readouterr().out
    assert len(runs) == 1


def test_parameters_do_not_change_below_another_run(runs, asked, monkeypatch):
    before = Path("params.yaml").read_bytes()
    with exclusive(), pytest.raises(AtWork):
        run_command.plan_and_run(asked, [], None, False)
    assert Path("params.yaml").read_bytes() == before


def test_what_names_say_reaches_no_terminal(runs, asked, capsys, monkeypatch):
    found = planning.look("")
    hostile = replace(found, images=IMAGES | {"classes": {"\x1b[31mrobin\n": 20, "[bold]wren": 25}})
    monkeypatch.setattr(planning, "look", lambda text, known: hostile)
    run_command.plan_and_run(asked, [], None, False)
    lines = capsys.readouterr().out
    assert "\x1b" not in lines
    assert "[bold]wren 25" in lines


def test_how_long_a_run_took_is_kept_however_it_ends(runs, asked, monkeypatch):
    def run(*_: object) -> None:
        with recorded(["features", "split"], {}) as take:
            take(StageResult("features", Outcome.RAN, 50.0))
            raise FlowError("split: no")

    monkeypatch.setattr(run_command, "run_and_show", run)
    with pytest.raises(FlowError, match="split: no"):
        run_command.plan_and_run(asked, [], None, False)
    assert set(json.loads(PACE.read_text())) == {"features"}


def test_a_run_without_anything_asked_looks_at_nothing(runs, seen, capsys, tmp_path):
    run_command.plan_and_run(Asked(tmp_path), [], None, False)
    assert (seen, len(runs), capsys.readouterr().out) == ([], 1, "")


@pytest.mark.parametrize("word", ["--look", "--dry-run"])
def test_what_is_typed_is_what_is_asked_for(runs, tmp_path, monkeypatch, word):
    (tmp_path / "birds").mkdir()
    taken = []
    monkeypatch.setattr(run_command, "look_and_plan", lambda asked, only: taken.append((asked, only)))
    words = ["birds", "--only", "head", "--profile", "digits", "--preset", "sample", "--set", "scratch.epochs=3"]
    monkeypatch.setattr("flows.project.place.typed_in", lambda: tmp_path)
    result = CliRunner().invoke(running.app, ["run", *words, word])
    assert result.exit_code == 0, result.output
    assert taken == [(Asked(tmp_path, "birds", ["scratch.epochs=3"], "digits", "sample", True), ["head"])]
