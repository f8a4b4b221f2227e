"""Limits and distance in a bundle: what LiteRT gives is what was chosen with, and what `smallset` says."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest

import smallset
from smallset.inference.decisions import Decisions
from stages.lib.bundle.complete import complete
from stages.lib.deciding import distances
from stages.lib.deciding.networks import has_features, scale_logits, with_features
from stages.lib.images.resizing import STRETCH
from stages.lib.inference.forward import compiled
from stages.lib.networks import build, mirroring
from stages.predict import KerasClassifier
from tests.stages.bundle_inputs import REPORT, write_inputs


@pytest.mark.parametrize("classes", [2, pytest.param(3, marks=pytest.mark.slow)])
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
    limit = float(np.sort(far)[8]) + 1e-3
    decisions = Decisions("f1", 1, 0.4, unknown_above=limit, unsure_below=0.5, reasons=("said",))
    assert (
        complete(bundle, folder / "manifest.csv", folder / "evaluation" / "scratch", REPORT, decisions, distance)
        is None
    )
    classifier = smallset.load(bundle)
    assert classifier.description.decisions == decisions
    assert classifier.verify() < 1e-5
    _prove_by_golden(bundle, names, decisions)
    found = classifier.predict(list(pixels))
    np.testing.assert_allclose([one.distance for one in found], far, rtol=1e-3, atol=1e-3)
    assert [one.decision for one in found] == [
        "unknown" if one.distance > decisions.unknown_above else "sure" if one.probability >= 0.5 else "unsure"
        for one in found
    ]
    assert found.table()["decision"] == [one.decision for one in found]
    assert "unknown" in found.table()["decision"]


def _prove_by_golden(bundle: Path, names: list[str], decisions: Decisions) -> None:
    """A port that gives another distance, class or decision for an example is found out."""
    file = bundle / "golden" / "examples.json"
    whole = file.read_text()
    first = json.loads(whole)["examples"][0]
    far, predicted = first["distance"], names[1] if first["probabilities"][1] >= 0.4 else names[0]
    assert first["predicted"] == predicted
    assert "which is no probability" in (file.parents[1] / "README.md").read_text(encoding="utf-8")
    assert (first["decision"] == "unknown") == (far > decisions.unknown_above)
    for key, value, reason in (
        ("distance", far + 0.01 * max(1, far), "plain.jpg: expected the distance"),
        ("distance", None, "and a distance"),
        ("decision", "perhaps", r"plain.jpg: expected \('.*', 'perhaps'\), found"),
        ("predicted", "neither", r"plain.jpg: expected \('neither', "),
    ):
        content = json.loads(whole)
        content["examples"][0][key] = value
        file.write_text(json.dumps(content))
        with pytest.raises(smallset.UserError, match=reason):
            smallset.load(bundle).verify()
    file.write_text(whole)


def test_without_a_converted_model_nothing_is_called_unknown_and_the_card_says_so(tmp_path, monkeypatch) -> None:
    """Keras gives no distance: a bundle that promised one would call a foreign image sure."""
    model = build.convnet(32, "grey", [4], True, 0.0, 2)
    folder = write_inputs(tmp_path, model, ["a", "b"], STRETCH)
    bundle, pixels = folder / "models" / "scratch", np.zeros((3, 32, 32, 1), np.float32)
    distance = distances.fitted(with_features(model)(pixels)[1].numpy(), 0)
    monkeypatch.setattr("stages.lib.bundle.litert.to_litert", lambda *_: "the converter cannot do it")
    decided = Decisions(unsure_below=0.5, unknown_above=1.0)
    arguments = folder / "manifest.csv", folder / "evaluation" / "scratch", REPORT, decided, distance
    assert complete(bundle, *arguments) == "the converter cannot do it"
    found = smallset.load(bundle).description
    assert (found.decisions.unknown_above, found.gives_distance, found.decisions.unsure_below) == (None, False, 0.5)
    card = (bundle / "README.md").read_text(encoding="utf-8")
    assert "No image is called unknown: without model.tflite" in card
    assert "names one of its classes for every image" in card
    assert "which is no probability" not in card
    classifier = KerasClassifier(bundle)
    [one, *_] = classifier.predict(np.full((1, 1), 255, np.uint8))
    assert (one.decision in ("sure", "unsure"), one.distance) == (True, None)
    # Heat covers places with a mean colour: its fractions are rounded, and never cut off.
    fractions = np.random.default_rng(0).uniform(0, 255, (3, 32, 32, 1)).astype(np.float32)
    whole = classifier.probabilities(fractions.round().astype(np.uint8))
    np.testing.assert_array_equal(classifier.probabilities(fractions), whole)
    with pytest.raises(TypeError, match="expected pixels uint8"):
        compiled(model, 4)(fractions)


def test_a_temperature_is_in_the_model_itself() -> None:
    model = build.convnet(32, "rgb", [4], True, 0.0, 3)
    pixels = np.random.default_rng(0).uniform(0, 255, (4, 32, 32, 3)).astype(np.float32)
    before = model(pixels).numpy()
    scale_logits(model, 0.5)
    expected = np.sqrt(before) / np.sqrt(before).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model(pixels).numpy(), expected, atol=1e-5)
