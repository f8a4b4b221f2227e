"""From what is typed to params.yaml: nothing is written before it is known to be possible."""

from pathlib import Path

import pytest

from flows.errors import FlowError
from flows.planning import plan as planning
from flows.planning.errors import UsageError
from flows.planning.look import Look
from flows.planning.own_images import TURNED_OFF, decide, image_size
from flows.planning.plan import Asked, make_plan
from flows.project import profiles
from tests.flows.planning.conftest import PRESET
from tests.stages.split_inputs import jpeg, pixels


def write(folder: Path, **counts: int) -> Path:
    seed = 0
    for label, count in counts.items():
        (folder / label).mkdir(parents=True)
        for number in range(count):
            seed += 1
            (folder / label / f"{number}.jpg").write_bytes(jpeg(pixels(seed)))
    return folder


def ask(source: Path | str | None = None, *settings: str, **more: object) -> list[str]:
    """Plan, and write what was planned; returns the keys that changed."""
    plan = make_plan(Asked(Path.cwd().parent, str(source) if source is not None else None, settings, **more))
    return [line.partition(":")[0] for line in profiles.write(plan.changed)]


def test_a_folder_is_looked_at_by_the_stages_own_program_and_then_written_once(project, tmp_path):
    write(tmp_path / "my birds", robin=4, wren=5)
    before = (project / "params.yaml").read_text()
    asked = Asked(tmp_path, "my birds", ("backbone.preset=sample",))
    plan = make_plan(asked)
    assert (project / "params.yaml").read_text() == before
    assert plan.found.images["classes"] == {"robin": 4, "wren": 5}
    profiles.write(plan.changed)
    values = profiles.current()
    assert (values["download.source"], values["download.path"]) == ("folder", str(tmp_path / "my birds"))
    assert not any(values[f"{model}.enabled"] for model in TURNED_OFF)
    # Drawings are of the size that their backbone is made for, and every comment is still there.
    assert values["common.image_size"] == 64
    after = (project / "params.yaml").read_text()
    assert after.count("#") == before.count("#")
    assert make_plan(asked).changed.changes == []
    assert list((project / ".smallset").iterdir()) == []


def test_of_two_plans_at_once_each_checks_its_own_parameters(project, monkeypatch):
    first, second = (Asked(project.parent, settings=(f"scratch.epochs={number}",)) for number in (3, 4))
    checked = []

    def check(file: Path) -> None:
        text = file.read_text()
        if not checked:
            checked.append(first)
            make_plan(second)
        # The other plan, which is done by now, has left the file of this one alone.
        assert file.read_text() == text

    monkeypatch.setattr(planning, "check_parameters", check)
    assert make_plan(first).changed.values["scratch.epochs"] == 3


@pytest.mark.parametrize("counts", [{"robin": 5}])
def test_images_that_cannot_be_used_change_nothing(project, tmp_path, counts):
    folder = write(tmp_path / "birds", **counts)
    before = (project / "params.yaml").read_bytes()
    with pytest.raises(UsageError):
        ask(folder)
    assert (project / "params.yaml").read_bytes() == before


@pytest.mark.parametrize(
    ("settings", "more", "message"),
    [
        (["scratch.epoch=3"], {}, r"no such parameter in params.yaml; is scratch\.epochs meant\?"),
        (["epochs=3"], {}, r"is .*scratch\.epochs.* meant\?"),
        (["scratch.epochs=-1"], {}, r"params.yaml: scratch\.epochs: .* Received: -1"),
        (["fine_tuned.start=feature_extraction_augmented", "feature_extraction_augmented.enabled=false"], {}, "needs"),
        ([], {"profile": "dogs_and_cats"}, "no profile 'dogs_and_cats': expected default"),
    ],
)
def test_what_is_typed_wrong_changes_nothing(project, settings, more, message):
    before = (project / "params.yaml").read_bytes()
    with pytest.raises(UsageError, match=message):
        ask(None, *settings, **more)
    assert (project / "params.yaml").read_bytes() == before


def test_single_values_are_written_without_a_look(project, seen):
    assert ask(None, "scratch.epochs=3", "split.train=0.4", "split.group=null") == ["scratch.epochs"]
    assert seen == []


def test_own_images_get_what_wins_and_the_same_again_changes_nothing(project, tmp_path, seen):
    write(tmp_path / "birds")
    (tmp_path / "birds").mkdir()
    changed = ask("birds")
    assert set(changed) == {
        *("download.source", "download.path", "common.image_size", "fine_tuned.min_steps"),
        *(f"{model}.enabled" for model in TURNED_OFF),
    }
    assert ask("birds") == []
    # What somebody wants otherwise stays so with the same images.
    assert ask("birds", "common.image_size=64", "scratch.enabled=true") == ["common.image_size", "scratch.enabled"]
    assert ask("birds") == []


def test_what_was_set_for_other_images_is_told_with_the_way_back(project, tmp_path, seen, monkeypatch):
    for name in ("by day", "birds", "owls"):
        (tmp_path / name).mkdir()
    ask("by day", "split.labels=^(?P<label>.)", "split.group=^(r)")
    for settings, kept in (((), ["labels", "group"]), (["split.labels=auto", "split.group=^(x)"], [])):
        plan = make_plan(Asked(tmp_path, "birds", settings))
        assert [line.partition(":")[0] for line in plan.kept] == [f"split.{key}" for key in kept]
    assert ask("birds", "split.labels=auto") == ["download.path", "split.labels"]
    assert make_plan(Asked(tmp_path, "birds")).kept == [], "these are the images that it was set for"

    def refuse(*_: object, **__: object) -> Look:
        raise UsageError("split.group: '^(r)' matches no path")

    monkeypatch.setattr("flows.planning.plan.look", refuse)
    with pytest.raises(UsageError) as caught:
        ask("owls")
    told = "split.group: '^(r)' matches no path; still set is split.group: ^(r) (--set split.group=null takes it back)"
    assert str(caught.value) == told


def test_what_somebody_has_set_is_kept_and_told(project, tmp_path, seen):
    (tmp_path / "birds").mkdir()
    ask(None, "common.image_size=128", "scratch_augmented.enabled=false", "backbone.preset=sample")
    plan = make_plan(Asked(tmp_path, "birds"))
    assert {line.partition(":")[0] for line in plan.changed.changes} == {"download.source", "download.path"}
    assert [line.partition(":")[0] for line in plan.kept] == ["common.image_size", "backbone.preset"]


def test_a_profile_is_taken_to_the_letter(project, tmp_path, seen):
    (tmp_path / "birds").mkdir()
    ask("birds", profile="dogs_vs_cats")
    values = profiles.current()
    assert (values["common.image_size"], values["scratch.enabled"], values["download.source"]) == (180, True, "folder")
    assert values["backbone.preset"] == "xception_41_imagenet"


def test_a_preset_is_meant_where_it_was_typed(project, tmp_path, seen):
    (tmp_path / "preset").mkdir()
    (project / "own").mkdir()
    for text, value in (("preset", str(tmp_path / "preset")), ("project/own", "own"), ("dinov2_small", "dinov2_small")):
        ask(None, preset=text)
        assert profiles.value_of("backbone.preset") == value


def test_labels_and_checksums_go_with_their_images(project, tmp_path, seen):
    for name in ("birds", "fish"):
        (tmp_path / name).mkdir()
    (tmp_path / "birds" / "labels.csv").write_text("path,label\n")
    ask("birds/labels.csv")
    assert profiles.value_of("split.labels") == "labels.csv"
    ask("fish")
    assert profiles.value_of("split.labels") == "auto"
    ask("https://example.com/one.zip", f"download.sha256={'a' * 64}")
    assert profiles.value_of("download.path") == "sources"
    ask("https://example.com/two.zip")
    assert profiles.value_of("download.sha256") is None


def test_it_looks_by_the_parameters_as_they_would_be(project, tmp_path, seen):
    (tmp_path / "birds").mkdir()
    ask("birds", "split.min_per_class=9")
    assert "min_per_class: 9" in seen[0]
    assert f"path: {tmp_path / 'birds'}" in seen[0]


def test_a_mistake_that_was_there_before_is_no_mistake_of_what_is_typed(project):
    Path("params.yaml").write_text("common: [")
    with pytest.raises(FlowError, match="not valid YAML"):
        ask(None, "scratch.epochs=3")


@pytest.mark.parametrize(
    ("preset", "size"),
    [
        (PRESET, "preset"),
        (PRESET | {"name": "convnet_of_kaggle", "size": None}, "preset"),
        (PRESET | {"name": ".", "size": 128}, "preset"),
        (PRESET | {"name": ".", "size": None}, 224),
        (PRESET | {"name": ".", "size": None, "any_size": False}, "preset"),
        (PRESET | {"name": "sample", "size": None}, 64),
    ],
)
def test_the_size_is_that_of_the_backbone(preset, size):
    assert image_size(preset) == size


def test_a_pretrained_backbone_is_fine_tuned_in_fewer_steps_unless_somebody_has_said_how_many(project):
    values, key = profiles.current(), "fine_tuned.min_steps"
    assert decide(values, Look({}, PRESET, None), ()).values[key] < values[key]
    assert key not in decide(values, Look({}, PRESET, None), {key}).values
    assert key not in decide(values, Look({}, PRESET | {"name": "sample"}, None), ()).values
    said = decide(values | {key: 500}, Look({}, PRESET, None), ())
    assert key not in said.values
    assert f"{key}: 500 (these images would get 100)" in said.kept


def test_models_that_others_need_stay(project):
    values = profiles.current() | {"fine_tuned.start": "feature_extraction_augmented"}
    found = Look({"sizes": {"median": 300}}, PRESET, None)
    assert "feature_extraction_augmented.enabled" not in decide(values, found, ()).values
    # Which models there are is one decision: half of another one would be nobody's.
    values = profiles.current() | {"fine_tuned.enabled": False}
    assert list(decide(values, found, ()).values) == ["common.image_size"]


def test_a_model_that_is_turned_off_with_the_images_leaves_the_others_as_they_would_be(project):
    """Without fine-tuning there is the head alone, and not three models more."""
    values, found = profiles.current(), Look({"sizes": {"median": 300}}, PRESET, None)
    off = {f"{model}.enabled": False for model in TURNED_OFF}
    decided = decide(values | {"fine_tuned.enabled": False}, found, {"fine_tuned.enabled"}).values
    assert {key: value for key, value in decided.items() if key.endswith(".enabled")} == off
    decided = decide(values, found, {"scratch.enabled"}).values
    assert {key for key in decided if key.endswith(".enabled")} == set(off) - {"scratch.enabled"}
