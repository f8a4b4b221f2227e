"""Features of a large folder go on where they were interrupted."""

from pathlib import Path

import numpy as np
import pytest

from stages import features as stage
from stages.features import FeaturesParams
from stages.lib.arrays import feature_files
from stages.lib.core.params import CommonParams
from stages.lib.features import extractor
from stages.lib.images import decode
from stages.lib.images.manifest import SUBSETS
from tests.stages.checksums import checksums

pytestmark = pytest.mark.usefixtures("elsewhere")

PARAMS = FeaturesParams(enabled=True, batch_size=2, precision="float32", mirror=True)


def test_an_interrupted_run_goes_on_and_gives_the_same_files(
    two_classes: tuple[Path, Path],
    preset: Path,
    common: CommonParams,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(extractor, "_BATCHES", 2)
    stage.features(*two_classes, preset, tmp_path / "none", tmp_path / "whole", common, PARAMS)

    read: list[Path] = []
    real = decode.stream

    def stream(paths: list[Path], *rest: object, **more: object) -> object:
        if len(read) >= 16:
            raise KeyboardInterrupt
        read.extend(paths)
        return real(paths, *rest, **more)

    monkeypatch.setattr(decode, "stream", stream)
    with pytest.raises(KeyboardInterrupt):
        stage.features(*two_classes, preset, tmp_path / "none", tmp_path / "features", common, PARAMS)
    assert not (tmp_path / "features").exists()
    first = list(read)
    read.clear()
    monkeypatch.setattr(decode, "stream", lambda paths, *rest, **more: read.extend(paths) or real(paths, *rest, **more))
    stage.features(*two_classes, preset, tmp_path / "none", tmp_path / "features", common, PARAMS)
    assert not set(read) & set(first)
    assert len(read) + len(first) == sum(len(feature_files.read(tmp_path / "whole", one).names) for one in SUBSETS)
    assert checksums(tmp_path / "features") == checksums(tmp_path / "whole")
    assert not list((tmp_path / ".smallset" / "training").iterdir())


def test_vectors_are_those_of_each_image(
    two_classes: tuple[Path, Path], preset: Path, common: CommonParams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extractor, "_BATCHES", 1)
    stage.features(*two_classes, preset, tmp_path / "none", tmp_path / "small", common, PARAMS)
    monkeypatch.setattr(extractor, "_BATCHES", 100)
    stage.features(*two_classes, preset, tmp_path / "none", tmp_path / "large", common, PARAMS)
    for subset in SUBSETS:
        small, large = (feature_files.read(tmp_path / name, subset) for name in ("small", "large"))
        assert small.names == large.names
        np.testing.assert_array_equal(small.vectors, large.vectors)
