"""What is said of a backbone that does not suit the images, and that nothing is said of one that does."""

import pytest

from stages.lib.pretrained.suitability import cautions


@pytest.mark.parametrize("source", ["folder", "kaggle", "url", "digits"])
def test_a_backbone_of_drawings_suits_drawings_only(source: str) -> None:
    (found,) = cautions(source, "sample", 64, 64)
    assert f"download.source: {source}" in found
    assert "set backbone.preset" in found
    assert cautions("sample", "sample", 64, 64) == []
    assert cautions(source, None, None, 64) == []
    assert cautions(source, "xception_41_imagenet", 299, 180) == []


@pytest.mark.parametrize(
    ("own", "size", "said"), [(224, 111, True), (224, 112, False), (224, 64, True), (None, 8, False), (64, 600, False)]
)
def test_less_than_half_of_the_presets_own_size_is_said(own: int | None, size: int, said: bool) -> None:
    found = cautions("folder", "xception_41_imagenet", own, size)
    assert len(found) == said
    assert all("common.image_size: preset" in sentence for sentence in found)
