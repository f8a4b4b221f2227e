import difflib
import shutil
from pathlib import Path

import pytest
import yaml

from flows.errors import FlowError
from flows.project import profiles

ROOT = Path(__file__).resolve().parents[3]
NAMES = sorted(file.stem for file in (ROOT / "profiles").glob("*.yaml"))


@pytest.fixture
def project(tmp_path, monkeypatch):
    shutil.copy(ROOT / "params.yaml", tmp_path)
    shutil.copytree(ROOT / "profiles", tmp_path / "profiles")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def text() -> str:
    return Path("params.yaml").read_text()


def keys(values: dict, above: str = "") -> set[str]:
    found = set()
    for key, value in values.items():
        found |= keys(value, f"{above}{key}.") if isinstance(value, dict) else {f"{above}{key}"}
    return found


def test_the_committed_params_are_the_default(project):
    before = text()
    assert profiles.use("default") == []
    assert text() == before


@pytest.mark.parametrize("name", [name for name in NAMES if name != "default"])
def test_a_profile_changes_its_values_and_the_default_brings_them_back(project, name):
    before, overlay = text(), yaml.safe_load((project / "profiles" / f"{name}.yaml").read_text())
    changes = profiles.use(name)
    after = text()
    params = yaml.safe_load(after)
    for section, values in overlay.items():
        assert params[section] == params[section] | values
    changed = [line for line in difflib.ndiff(before.splitlines(), after.splitlines()) if line.startswith("+ ")]
    assert len(changed) == len(changes) > 5
    comments = [line.partition("#")[2] for line in before.splitlines()]
    assert [line.partition("#")[2] for line in after.splitlines()] == comments
    profiles.use("default")
    # Its longest values move no comment for good.
    assert text() == before


def test_one_profile_leaves_nothing_in_the_next(project):
    profiles.use("dogs_vs_cats")
    direct = text()
    profiles.use("digits")
    profiles.use("dogs_vs_cats")
    assert text() == direct


@pytest.mark.parametrize("name", NAMES)
def test_every_key_of_a_profile_is_a_parameter_and_in_the_default(name):
    params, default, profile = (
        yaml.safe_load((ROOT / file).read_text())
        for file in ("params.yaml", "profiles/default.yaml", f"profiles/{name}.yaml")
    )
    assert keys(profile) <= keys(params)
    assert keys(profile) <= keys(default)


def test_the_reference_task_has_the_published_figures(project):
    profiles.use("dogs_vs_cats")
    params = yaml.safe_load(text())
    assert params["common"]["image_size"] == 180
    assert [params["split"][subset] for subset in ("train", "validation", "test")] == [1000, 500, 1000]
    assert params["scratch"]["filters"] == params["scratch_augmented"]["filters"] == [32, 64, 128, 256, 512]
    models = ["scratch", "scratch_augmented", "feature_extraction", "feature_extraction_augmented", "fine_tuned"]
    assert [params[model]["epochs"] for model in models] == [50, 100, 10, 30, 30]
    assert all(params[model]["min_steps"] is None for model in models)
    published = {
        "learning_rate": 1e-5,
        "schedule": "constant",
        "start": "feature_extraction_augmented",
        "min_images": None,
        "unfreeze": "all",
        "lora": None,
        "optimizer": "adam",
        "weight_decay": 0.0,
        "warmup": 0.0,
        "layer_decay": 1.0,
        "averaged_epochs": None,
        "moved": 1.0,
        "keep": "best",
        "mirror": False,
    }
    assert published.items() <= params["fine_tuned"].items()
    assert params["feature_extraction"]["head"] == "mlp"
    assert not any(params[name]["mirror"] for name in ("features", *models))


def test_ones_own_other_values_stay(project):
    Path("params.yaml").write_text(text().replace("seed: 1337", "seed: 7  # mine"))
    profiles.use("digits")
    assert "seed: 7  # mine" in text()


def test_a_count_and_a_share_of_one_are_not_the_same(project):
    Path("params.yaml").write_text(text().replace("  test: 0.4", "  test: 1"))
    assert "split.test: 1 -> 1.0" in profiles.use("digits")
    assert "  test: 1.0" in text()


def test_an_unknown_profile_names_the_known_ones(project):
    with pytest.raises(FlowError, match="no profile 'cats': expected default, digits, dogs_vs_cats"):
        profiles.use("cats")


def test_an_unknown_key_is_named_and_nothing_is_written(project):
    before = text()
    (project / "profiles" / "mine.yaml").write_text("common: {image_size: 9}\nscratch: {epoch: 3}\n")
    with pytest.raises(FlowError, match=r"profiles/mine\.yaml: scratch\.epoch: no such parameter"):
        profiles.use("mine")
    assert text() == before


def test_single_values_are_written_over_the_params_and_can_be_read(project):
    assert profiles.value_of("scratch.epochs") == 30
    changes = profiles.override({"scratch.epochs": 3, "scratch_augmented.augmentation.flip": False})
    assert changes == ["scratch.epochs: 30 -> 3", "scratch_augmented.augmentation.flip: true -> false"]
    assert profiles.value_of("scratch.epochs") == 3
    assert profiles.value_of("scratch_augmented.augmentation.flip") is False
    assert profiles.value_of("scratch_augmented.augmentation.rotation") == 0.1
    assert profiles.value_of("scratch.nothing") is None
    assert profiles.override({}) == []


@pytest.mark.parametrize("key", ["scratch", "scratch.nothing", "nothing.epochs"])
def test_a_single_value_that_is_none_is_refused_and_nothing_is_written(project, key):
    before = text()
    with pytest.raises(FlowError, match=r"^overrides: [\w.]+: (expected|no such) "):
        profiles.override({key: 3})
    assert text() == before


def test_no_profile_puts_a_value_in_the_place_of_a_section(project):
    before = text()
    (project / "profiles" / "broken.yaml").write_text("scratch: 3\n")
    with pytest.raises(FlowError, match=r"^profiles.broken\.yaml: scratch: expected parameters of this section"):
        profiles.use("broken")
    assert text() == before


def test_what_somebody_edits_meanwhile_is_not_written_over(project):
    found = profiles.changed(profiles.of_profile("digits"))
    edited = text().replace("seed: 1337", "seed: 7", 1)
    assert edited != text()
    (project / "params.yaml").write_text(edited)
    with pytest.raises(FlowError, match=r"^params\.yaml: edited meanwhile"):
        profiles.write(found)
    assert text() == edited
