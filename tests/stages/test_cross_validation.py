"""Stage `cross_validation`: figures of heads on images that they have not seen; nothing where there is too little."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from stages.cross_validation import CrossValidationParams, cross_validation
from stages.lib.arrays import feature_files
from stages.lib.core.model_sections import FeatureExtractionParams
from stages.lib.core.outputs import disable
from stages.lib.core.params import CommonParams
from stages.lib.images.manifest import SUBSETS, Subset
from tests.stages.head_params import HEAD

pytestmark = pytest.mark.usefixtures("elsewhere")


def project(classes: dict[str, int], distance: float = 3.0, copies: int = 1) -> None:
    """Features around a centre of each class; `copies`: images that are copies of each other, one after the other."""
    rng = np.random.default_rng(0)
    names = sorted(classes)
    rows = [
        (f"{SUBSETS[index // copies % 3]}/{name}/{index}.png", name, SUBSETS[index // copies % 3], index // copies)
        for name in names
        for index in range(classes[name])
    ]
    manifest = pd.DataFrame(rows, columns=["path", "class", "subset", "place"])
    alone = manifest["class"] + manifest["place"].astype(str)
    manifest.assign(group=alone if copies > 1 else "", sha256="0").to_csv("manifest.csv", index=False)
    columns = ["group", "path", "sha256", "class", "kind", "distance", "action"]
    pd.DataFrame(columns=columns).to_csv("duplicates.csv", index=False)
    Path("features").mkdir()
    noise = {name: rng.normal(size=4) for name in alone}
    for subset in SUBSETS:
        mine = manifest[manifest["subset"] == subset]
        labels = np.array([names.index(name) for name in mine["class"]], np.int64)
        vectors = distance * np.eye(4)[labels] + np.array([noise[name] for name in alone[mine.index]])
        paths = mine["path"].tolist()
        images = Subset([Path(path) for path in paths], paths, ["0"] * len(paths), labels, names)
        feature_files.write(Path("features"), subset, images, 4, [vectors.astype(np.float32)])
    feature_files.write_about(Path("features"), names, "float32")


def run(head: FeatureExtractionParams = HEAD, **changes: object) -> dict[str, Any]:
    settings = {"enabled": True, "folds": 4, "repeats": 1, "images": 1000} | changes
    common = CommonParams(
        seed=1, deterministic=False, image_size=32, batch_size=8, resize="stretch", interpolation="bilinear"
    )
    files = ("manifest.csv", "duplicates.csv", "features", "cross_validation.json")
    cross_validation(*map(Path, files), common, head, CrossValidationParams.model_validate(settings))
    return json.loads(Path("cross_validation.json").read_text())


def test_all_images_take_part_and_the_same_seed_gives_the_same_bytes(capsys) -> None:
    project({"ant": 30, "bee": 30, "cow": 30})
    found = run()
    assert (found["images"], found["folds"], found["repeats"], found["measure"]) == (90, 4, 1, "accuracy")
    assert 0.8 < found["low"] < found["value"] <= found["high"] <= 1
    assert found["curve"][-1]["value"] == found["value"]
    assert found["twice"]["gain_low"] <= found["twice"]["gain"] <= found["twice"]["gain_high"]
    assert "cross-validation: accuracy" in capsys.readouterr().out
    first = Path("cross_validation.json").read_bytes()
    run()
    assert Path("cross_validation.json").read_bytes() == first


def test_copies_do_not_make_it_better() -> None:
    """Without their groups, features that say nothing of the class would tell copies by heart."""
    project({"ant": 40, "bee": 40}, distance=0, copies=4)
    assert run()["low"] < 0.5


def test_a_class_with_too_few_different_images_is_left_out_and_named(capsys) -> None:
    project({"ant": 12, "bee": 12, "cow": 2})
    assert run()["left_out"] == ["cow"]
    assert "class 'cow' is left out: fewer than three different images" in capsys.readouterr().out


def test_few_images_of_a_class_are_enough() -> None:
    project({"ant": 3, "bee": 9})
    found = run()
    assert found["measure"] == "balanced_accuracy"
    assert found["high"] - found["low"] > 0.2


def test_of_many_images_some_are_drawn() -> None:
    project({"ant": 150, "bee": 60})
    found = run(images=100, repeats=1)
    assert (found["images"], found["of"]) == (100, 210)


@pytest.mark.parametrize("classes", [{"ant": 12, "bee": 2}, {"ant": 2, "bee": 3}])
def test_one_class_is_nothing_to_tell_apart(classes: dict[str, int], capsys) -> None:
    project(classes)
    assert run() == {}
    assert "nothing to cross-validate" in capsys.readouterr().out


def test_a_stage_that_is_turned_off_leaves_no_figures(capsys) -> None:
    disable(Path("features"), "features")
    assert run() == {}
    assert run(enabled=False) == {}
    assert "features: turned off" in capsys.readouterr().out


@pytest.mark.parametrize(("mirror", "weights"), [(True, None), (False, "balanced")])
def test_heads_are_those_that_the_parameters_of_the_head_ask_for(mirror, weights, monkeypatch) -> None:
    from stages.lib.resampling import head

    project({"ant": 9, "bee": 9})
    real, asked = head.LinearHeads, []
    monkeypatch.setattr(head, "LinearHeads", lambda *own, **named: asked.append(named) or real(*own, **named))
    run(HEAD.model_copy(update={"mirror": mirror, "class_weights": weights}))
    assert asked == [{"averaged": mirror, "balanced": weights == "balanced"}]
