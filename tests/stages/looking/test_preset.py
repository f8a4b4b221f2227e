"""Whether a backbone can be had is known before any work."""

import json
import os
import subprocess
import sys
from pathlib import Path

import h5py
import httpx
import pytest
from huggingface_hub import constants

from stages.lib.core.errors import UserError
from stages.lib.looking import preset
from stages.lib.pretrained.recommended import RECOMMENDED

AUTO = RECOMMENDED[0]


@pytest.fixture(autouse=True)
def homes(tmp_path, monkeypatch):
    """Nothing of presets that this machine has."""
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "kaggle"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hugging_face" / "hub"))


@pytest.fixture
def no_network(monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise httpx.ConnectError("Name or service not known")

    monkeypatch.setattr(httpx, "head", fail)


def write_preset(folder: Path, size: list[int] | None = None, **config: object) -> Path:
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"class_name": "Backbone", "config": config}))
    (folder / "image_converter.json").write_text(json.dumps({"config": {"image_size": size or [224, 224]}}))
    with h5py.File(folder / "model.weights.h5", "w") as weights:
        weights["one"] = [1.0]
    return folder


def test_without_a_network_the_one_nobody_named_is_told_with_every_way_out(no_network):
    with pytest.raises(UserError) as caught:
        preset.require_preset(AUTO, "auto")
    message = str(caught.value)
    for part in (AUTO, "www.kaggle.com cannot be reached", "--preset", "a directory", "hf://", "sample"):
        assert part in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("name", "kept", "weights"),
    [
        (AUTO, f"kaggle/models/keras/efficientnet/keras/{AUTO}/2", "model.weights.h5"),
        ("kaggle://keras/vit/keras/vit_base", "kaggle/models/keras/vit/keras/vit_base/3", "model.weights.json"),
        ("hf://google/vit", "hugging_face/hub/models--google--vit/snapshots/abc", "model.safetensors"),
    ],
)
def test_what_was_fetched_once_needs_no_network(tmp_path, no_network, name, kept, weights):
    with pytest.raises(UserError, match="cannot be reached"):
        preset.require_preset(name, name)
    (tmp_path / kept).mkdir(parents=True)
    (tmp_path / kept / "config.json").write_text("{}")
    # As of a candidate that was only looked at.
    with pytest.raises(UserError, match="cannot be reached"):
        preset.require_preset(name, name)
    (tmp_path / kept / weights).write_text("{}")
    preset.require_preset(name, name)


def test_what_hugging_face_keeps_is_looked_for_where_it_keeps_it(tmp_path):
    """Machines of many users without a network have their caches elsewhere."""
    kept = tmp_path / "huggingface/hub/models--google--vit/snapshots/abc"
    kept.mkdir(parents=True)
    for name in ("config.json", "model.weights.h5"):
        (kept / name).write_text("{}")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    program = "from stages.lib.looking.preset import is_kept; print(is_kept('hf://google/vit'))"
    for home in ({"XDG_CACHE_HOME": str(tmp_path)}, {"HF_HOME": "~/huggingface", "HOME": str(tmp_path)}):
        found = subprocess.check_output([sys.executable, "-c", program], env=environment | home, text=True)
        assert found == "True\n"


@pytest.mark.parametrize("name", ["kaggle://", "kaggle:///keras/vit", "kaggle://../models", "vit**base", "*", "hf://"])
def test_a_mistyped_name_is_of_no_preset_that_was_fetched(tmp_path, no_network, name):
    kept = tmp_path / "kaggle/models/keras/vit/keras/vit_base/3/config.json"
    kept.parent.mkdir(parents=True)
    kept.write_text("{}")
    kept.with_name("model.weights.h5").write_text("{}")
    with pytest.raises(UserError, match="is not on this machine"):
        preset.require_preset(name, name)


def test_a_site_that_answers_anything_can_be_reached(monkeypatch):
    asked = []
    monkeypatch.setattr(httpx, "head", lambda url, **_: asked.append(url))
    preset.require_preset("hf://google/vit", "hf://google/vit")
    assert asked == ["https://huggingface.co"]


def test_directories_and_drawings_need_no_network(tmp_path, no_network):
    preset.require_preset("sample", "sample")
    preset.require_preset(str(write_preset(tmp_path / "own")), "own")
    with pytest.raises(UserError, match="no such directory"):
        preset.require_preset("./nowhere", "./nowhere")
    (tmp_path / "own" / "config.json").unlink()
    with pytest.raises(UserError, match=r"expected a KerasHub preset with config\.json in it"):
        preset.require_preset(str(tmp_path / "own"), "own")


def test_what_a_directory_says_of_itself(tmp_path):
    convnet = preset.about(str(write_preset(tmp_path / "convnet")))
    assert (convnet["size"], convnet["any_size"]) == (224, True)
    assert convnet["bytes"] > 0
    # Patches fit only into some sizes.
    assert preset.about(str(write_preset(tmp_path / "vit", [384, 384], patch_size=16)))["any_size"] is False
    assert preset.about(str(write_preset(tmp_path / "wide", [224, 320])))["size"] is None
    assert preset.about("dinov2_small") == {"name": "dinov2_small", "size": None, "bytes": None, "any_size": False}


@pytest.mark.parametrize("file", ["config.json", "image_converter.json"])
def test_a_directory_that_says_nothing_of_itself_is_one_line(tmp_path, file):
    own = write_preset(tmp_path / "own")
    (own / file).write_text('{"config": null}')
    with pytest.raises(UserError, match=f"{file}: config: Input should be a valid dictionary, found 'None'"):
        preset.require_preset(str(own), str(own))


@pytest.mark.parametrize("config", [None, [], "x", {"image_size": [True, True]}, {"image_size": [-5, -5]}])
def test_a_directory_that_says_nonsense_of_itself_says_nothing(tmp_path, config):
    """What is wrong with it is told where it is required."""
    folder = write_preset(tmp_path / "odd")
    for name in ("config.json", "image_converter.json"):
        (folder / name).write_text(json.dumps({"config": config}))
    assert preset.about(str(folder))["size"] is None
