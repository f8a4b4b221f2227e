"""The features that a distance is of are those that the model itself gives, cached or not."""

import json
from pathlib import Path

import numpy as np
import pytest

from stages import features as stage
from stages.features import FeaturesParams
from stages.lib.core.params import CommonParams, Precision
from stages.lib.deciding.vectors import Seen
from stages.lib.networks import build, mirroring, saved_model
from stages.lib.networks.precision import rebuilt

pytestmark = pytest.mark.usefixtures("elsewhere")


@pytest.mark.parametrize(
    ("mirror", "precision"),
    [(False, "float32"), pytest.param(True, "float32", marks=pytest.mark.slow), (True, "mixed_bfloat16")],
)
def test_cached_features_are_taken_only_where_they_are_those_of_the_model(
    mirror: bool,
    precision: Precision,
    two_classes: tuple[Path, Path],
    preset: Path,
    common: CommonParams,
    tmp_path: Path,
) -> None:
    params = FeaturesParams(enabled=True, batch_size=16, precision=precision, mirror=mirror)
    stage.features(*two_classes, preset, tmp_path / "none", tmp_path / "features", common, params)
    model = tmp_path / "model"
    model.mkdir()
    looks_at_both = mirroring.mirrored(build.transfer_model(preset, [build.classifier(2)], 32, "float32"))
    saved_model.save(looks_at_both, model / "model.keras", ["cat", "dog"])
    (model / "summary.json").write_text(json.dumps({"precision": "float32"}))
    cached, computed = (Seen(model, *two_classes, known) for known in (tmp_path / "features", None))
    for subset in ("train", "validation", "test"):
        np.testing.assert_allclose(getattr(cached, subset), getattr(computed, subset), rtol=1e-4, atol=1e-4)


def test_a_model_that_computes_less_exactly_is_asked_as_exactly_as_its_bundle_computes(
    two_classes: tuple[Path, Path], preset: Path, tmp_path: Path
) -> None:
    exact = build.transfer_model(preset, [build.classifier(2)], 32, "float32")
    found = {}
    for precision in ("float32", "mixed_bfloat16"):
        model = tmp_path / precision
        model.mkdir()
        saved_model.save(rebuilt(exact, precision), model / "model.keras", ["cat", "dog"])
        (model / "summary.json").write_text(json.dumps({"precision": precision}))
        found[precision] = Seen(model, *two_classes, None).test
    np.testing.assert_allclose(found["mixed_bfloat16"], found["float32"], rtol=1e-4, atol=1e-4)
