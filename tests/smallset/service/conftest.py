"""A service of a tiny bundle, in this process; and a bundle that says unsure and unknown."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

import smallset
from smallset.inference.decisions import Decisions
from smallset.service.app import make
from smallset.service.models import Current
from smallset.service.settings import Settings
from tests.smallset.conftest import CLASSES

SETTINGS = Settings(most_bytes=1 << 20, most_pixels=1_000_000, most_images=4, decoders=1, look_every=0.05, seconds=20)


def image(width: int = 40, height: int = 30, form: str = "PNG", seed: int = 0) -> bytes:
    """The bytes of a file with random pixels."""
    file = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    Image.fromarray(pixels).save(file, form)
    return file.getvalue()


@pytest.fixture(scope="module")
def client(bundle: Path) -> Iterator[TestClient]:
    with TestClient(make(Current(lambda: bundle), SETTINGS), base_url="http://127.0.0.1") as asking:
        yield asking


@pytest.fixture(scope="session")
def doubting(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, bytes]]:
    """A bundle with limits and a distance, and an image for each decision."""
    import keras

    from stages.lib.bundle.complete import complete
    from stages.lib.deciding import distances
    from stages.lib.deciding.networks import with_features
    from stages.lib.networks import build
    from tests.stages.bundle_inputs import REPORT, write_inputs

    keras.utils.set_random_seed(0)
    model = build.convnet(32, "rgb", [4, 8], True, 0.25, len(CLASSES))
    folder = write_inputs(tmp_path_factory.mktemp("doubting"), model, CLASSES)
    place, judge = folder / "models" / "scratch", with_features(model)
    known = np.random.default_rng(0).integers(0, 256, (12, 32, 32, 3), np.uint8)
    distance = distances.fitted(judge(known.astype(np.float32))[1].numpy(), 0)
    contents = [image(32, 32, seed=1), image(32, 32, seed=2), plain(250)]
    pixels = np.stack([np.asarray(Image.open(io.BytesIO(one)), np.float32) for one in contents])
    probabilities, features = (part.numpy() for part in judge(pixels))
    decisions, order = limits_between(probabilities.max(axis=1), distance.of(features))
    evaluation = folder / "evaluation" / "scratch"
    assert complete(place, folder / "manifest.csv", evaluation, REPORT, decisions, distance) is None
    by_decision = dict(zip(("sure", "unsure", "unknown"), (contents[one] for one in order), strict=True))
    assert [one.decision for one in smallset.load(place).predict(by_decision.values())] == list(by_decision)
    return place, by_decision


def plain(value: int) -> bytes:
    """The bytes of a file of one grey."""
    file = io.BytesIO()
    Image.new("RGB", (32, 32), (value, value, value)).save(file, "PNG")
    return file.getvalue()


def limits_between(likely: np.ndarray, far: np.ndarray) -> tuple[Decisions, list[int]]:
    """Limits that part three images, and which of them is sure, unsure and unknown by these."""
    first, second, foreign = np.argsort(far).tolist()
    unsure, sure = sorted((first, second), key=lambda one: likely[one])
    limits = Decisions(
        unsure_below=float(likely[unsure] + likely[sure]) / 2, unknown_above=float(far[second] + far[foreign]) / 2
    )
    return limits, [sure, unsure, foreign]
