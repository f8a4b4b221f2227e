"""Limits and distance in a bundle: what LiteRT gives is what was chosen with, and what `smallset` says."""

import keras
import numpy as np
import pytest

import smallset
from smallset.inference.decisions import Decisions
from stages.lib.bundle.complete import complete
from stages.lib.deciding import distances
from stages.lib.deciding.networks import has_features, scale_logits, with_features
from stages.lib.images.resizing import STRETCH
from stages.lib.networks import build, mirroring
from tests.stages.bundle_inputs import REPORT, write_inputs


@pytest.mark.parametrize("classes", [2, 3])
def test_a_bundle_says_when_it_does_not_know(classes: int, tmp_path) -> None:
    keras.utils.set_random_seed(0)
    model = mirroring.mirrored(build.convnet(32, "rgb", [4, 8], True, 0.25, classes))
    names = ["a", "b", "c"][:classes]
    folder = write_inputs(tmp_path, model, names, STRETCH)
    bundle, rng = folder / "models" / "scratch", np.random.default_rng(0)
    pixels = rng.integers(0, 256, (12, 32, 32, 3), np.uint8)
    assert has_features(model)
    probabilities, features = (part.numpy() for part in with_features(model)(pixels.astype(np.float32)))
    np.testing.assert_allclose(probabilities, model(pixels.astype(np.float32)).numpy(), atol=1e-6)
    distance = distances.fitted(features, 0)
    far = distance.of(features)
    decisions = Decisions(unknown_above=float(np.sort(far)[8]) + 1e-4, unsure_below=0.5, reasons=("said",))
    assert (
        complete(bundle, folder / "manifest.csv", folder / "evaluation" / "scratch", REPORT, decisions, distance)
        is None
    )
    classifier = smallset.load(bundle)
    assert classifier.description.decisions == decisions
    assert classifier.verify() < 1e-5
    found = classifier.predict(list(pixels))
    np.testing.assert_allclose([one.distance for one in found], far, rtol=1e-3, atol=1e-3)
    assert [one.decision for one in found] == [
        "unknown" if one.distance > decisions.unknown_above else "sure" if one.probability >= 0.5 else "unsure"
        for one in found
    ]
    assert found.table()["decision"] == [one.decision for one in found]
    assert "unknown" in found.table()["decision"]


def test_a_temperature_is_in_the_model_itself() -> None:
    model = build.convnet(32, "rgb", [4], True, 0.0, 3)
    pixels = np.random.default_rng(0).uniform(0, 255, (4, 32, 32, 3)).astype(np.float32)
    before = model(pixels).numpy()
    scale_logits(model, 0.5)
    expected = np.sqrt(before) / np.sqrt(before).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model(pixels).numpy(), expected, atol=1e-5)
