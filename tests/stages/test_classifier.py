"""What is deployed: the recommended model as it was measured, or its linear head fitted again on more images."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import smallset
from stages.classifier import MEASURED, ClassifierPaths, classifier
from stages.features import FeaturesParams, features
from stages.lib.core.model_sections import ClassifierParams, FeatureExtractionParams
from stages.predict import predict
from tests.stages.bundle_inputs import ABOUT, REPORT, no_decisions, write_figures
from tests.stages.head_params import HEAD

IMAGES = {"none": 24, "validation": 36, "all": 48}  # of the dataset of the tests


@pytest.fixture(scope="module")
def folder(tmp_path_factory, two_classes, preset, common) -> Path:
    """Features, and a linear head that was fitted on those of the training images."""
    import keras

    from stages.lib.heads.refit import refitted
    from stages.lib.networks import saved_model

    folder = tmp_path_factory.mktemp("classifier")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        asked = FeaturesParams(enabled=True, batch_size=8, precision="float32", mirror=True)
        features(*two_classes, preset, folder / "none", folder / "features", common, asked)
    manifest = pd.read_csv(two_classes[1]).assign(group="")
    manifest.to_csv(folder / "manifest.csv", index=False)
    pd.DataFrame(columns=["group", "path", "sha256", "class", "kind", "distance", "action"]).to_csv(
        folder / "duplicates.csv", index=False
    )
    found = refitted(folder / "features", "none", lambda names: np.arange(len(names)), preset, common, HEAD)
    assert found.learned == found.images == IMAGES["none"]
    model = folder / "models" / "feature_extraction"
    model.mkdir(parents=True)
    bare = keras.Model(found.model.input, found.model.output, name="feature_extraction")
    saved_model.save(bare, model / "model.keras", ["cat", "dog"])
    about = {"stage": "feature_extraction", "classes": ["cat", "dog"], "head": {"kind": "logistic"}} | ABOUT
    (model / "summary.json").write_text(json.dumps(about))
    write_figures(folder / "evaluation" / "feature_extraction", ["cat", "dog"])
    (folder / "summary.json").write_text(json.dumps(REPORT | {"recommended": "feature_extraction"}))
    no_decisions(folder / "decisions")
    return folder


def deployed(folder: Path, preset: Path, common: Any, refit: Any, params: FeatureExtractionParams = HEAD) -> Path:
    import keras

    # Layers are numbered from the start, as in a stage, which is a process of its own.
    keras.backend.clear_session()
    output = folder / "models" / "classifier"
    names = ("summary.json", "models", "features", "manifest.csv", "duplicates.csv")
    paths = ClassifierPaths(
        *(folder / name for name in names), preset, folder / "evaluation", folder / "decisions", output
    )
    classifier(paths, common, params, ClassifierParams(refit=refit))
    return output


@pytest.fixture
def not_completed(monkeypatch) -> None:
    """Only the model: what lies beside it takes seconds, and has tests of its own."""
    monkeypatch.setattr("stages.lib.bundle.complete.complete", lambda *_: None)


@pytest.mark.usefixtures("not_completed")
def test_none_deploys_what_was_measured(folder, preset, common) -> None:
    output = deployed(folder, preset, common, "none")
    measured = folder / "models" / "feature_extraction"
    assert {file.name for file in output.iterdir()} == {"model.keras", "summary.json"}
    assert all(file.read_bytes() == (measured / file.name).read_bytes() for file in output.iterdir())


@pytest.mark.usefixtures("not_completed")
@pytest.mark.parametrize("refit", ["validation", "all"])
def test_the_head_is_fitted_again_beside_the_one_that_was_measured(folder, preset, common, refit, capsys) -> None:
    output = deployed(folder, preset, common, refit)
    measured = (folder / "models" / "feature_extraction" / "model.keras").read_bytes()
    assert (output / MEASURED / "model.keras").read_bytes() == measured
    first = (output / "model.keras").read_bytes()
    assert first != measured
    summary = json.loads((output / "summary.json").read_text())
    assert summary["refit"] == {"on": refit, "images": IMAGES[refit], "of": IMAGES[refit]}
    assert f"fitted again on {IMAGES[refit]} images" in capsys.readouterr().out
    assert (deployed(folder, preset, common, refit) / "model.keras").read_bytes() == first


def test_what_is_deployed_is_the_same_procedure_on_the_features_of_all_images(
    folder, preset, common, two_classes, monkeypatch
) -> None:
    from stages.lib.arrays import feature_files
    from stages.lib.heads import logistic

    output = deployed(folder, preset, common, "all")
    sets = [feature_files.read(folder / "features", name) for name in ("train", "validation", "test")]
    vectors, mirrored = (np.concatenate([getattr(one, key) for one in sets]) for key in ("vectors", "mirrored"))
    labels = np.concatenate([one.labels for one in sets])
    head = logistic.fit(vectors, labels, np.arange(48), 2, common.seed, mirrored)
    monkeypatch.chdir(folder)
    files = [two_classes[0] / name for name in sets[2].names]
    table, _ = predict(files)
    last = slice(-len(sets[2].names), None)
    expected = head.probabilities((vectors[last] + mirrored[last]) / 2)
    np.testing.assert_allclose(table[["p_cat", "p_dog"]].to_numpy(), expected, atol=1e-3)
    without_keras = smallset.load(output).predict(files).table()["p_dog"]
    np.testing.assert_allclose(without_keras, table["p_dog"].iloc[last], atol=1e-5)
    card = (output / "README.md").read_text(encoding="utf-8")
    assert "before its head was fitted again on 48 images (all)" in card


@pytest.mark.usefixtures("not_completed")
def test_a_head_with_epochs_is_deployed_as_it_was_measured(folder, preset, common, capsys) -> None:
    file = folder / "models" / "feature_extraction" / "summary.json"
    before = file.read_text()
    file.write_text(before.replace("logistic", "mlp"))
    try:
        output = deployed(folder, preset, common, "all")
    finally:
        file.write_text(before)
    assert not (output / MEASURED).exists()
    assert "fitted again" not in capsys.readouterr().out
