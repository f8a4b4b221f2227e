import pytest

from flows.errors import FlowError
from flows.project.graph import read_stages, up_to_date

STAGES = {
    "last": {"cmd": "cat b_x b_y > last", "deps": ["b_x", "b_y"], "outs": ["last"]},
    "middle": {
        "foreach": ["x", "y"],
        "do": {"cmd": "cp a b_${item}", "deps": ["a"], "outs": ["b_${item}"]},
    },
    "first": {"cmd": "cp source a", "deps": ["source"], "outs": ["a"]},
}


def test_stages_are_expanded_and_come_after_what_they_depend_on(make):
    (make(STAGES) / "source").write_text("1")
    stages = read_stages()
    assert [stage.name for stage in stages] == ["first", "middle@x", "middle@y", "last"]
    assert {stage.name: set(stage.upstream) for stage in stages} == {
        "first": set(),
        "middle@x": {"first"},
        "middle@y": {"first"},
        "last": {"middle@x", "middle@y"},
    }
    assert not any(stage.has_run for stage in stages)


def test_what_comes_first_in_dvc_yaml_runs_first_where_nothing_forbids_it(make):
    names = {"raw": [], "looked_at": ["raw"], "long": [], "trained": ["long", "looked_at"]}
    make({name: {"cmd": f"touch {name}", "deps": deps, "outs": [name]} for name, deps in names.items()})
    assert [stage.name for stage in read_stages()] == list(names)


def test_only_what_depends_on_nothing_changed_is_up_to_date(make, dvc):
    project = make(STAGES)
    (project / "source").write_text("1")
    dvc("repro")
    assert len(up_to_date(read_stages())) == 4
    (project / "b_x").unlink()
    stages = {stage.name: stage for stage in read_stages()}
    assert stages["middle@x"].changes == ("b_x deleted",)
    assert up_to_date(read_stages()) == {"first", "middle@y"}
    (project / "source").write_text("2")
    assert up_to_date(read_stages()) == set()


def test_a_changed_command_and_an_always_changed_stage_are_never_up_to_date(make, dvc):
    project = make(
        {"a": {"cmd": "date > a", "outs": ["a"], "always_changed": True}, "b": {"cmd": "date > b", "outs": ["b"]}}
    )
    dvc("repro")
    assert up_to_date(read_stages()) == {"b"}
    text = (project / "dvc.yaml").read_text()
    (project / "dvc.yaml").write_text(text.replace("date > b", "date  > b"))
    assert up_to_date(read_stages()) == set()


def test_data_that_dvc_only_tracks_is_no_stage(make, dvc):
    (make({"first": STAGES["first"]}) / "source").write_text("1")
    dvc("add", "source")
    [stage] = read_stages()
    assert (stage.name, stage.upstream) == ("first", ())


@pytest.mark.parametrize("text", ["stages: {a: {cmd: [x", "stages: {a: {cmdd: x}}", "stages: {a: {cmd: '${no.such}'}}"])
def test_a_broken_dvc_yaml_is_one_line(make, text):
    (make({}) / "dvc.yaml").write_text(text)
    with pytest.raises(FlowError, match=r"dvc\.yaml") as caught:
        read_stages()
    assert "\n" not in str(caught.value)


def test_a_circle_is_one_line(make):
    make({"a": {"cmd": "x", "deps": ["p"], "outs": ["q"]}, "b": {"cmd": "x", "deps": ["q"], "outs": ["p"]}})
    with pytest.raises(FlowError, match="both a dependency and an output"):
        read_stages()


def test_a_folder_that_is_no_project_is_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FlowError, match=r"no project here or above"):
        read_stages()
    (tmp_path / "dvc.yaml").write_text("stages: {}")
    with pytest.raises(FlowError, match="git init"):
        read_stages()
