"""Every class of backbone that KerasHub exports: it works through every stage, or is refused in one line."""

import re

import keras_hub
import numpy as np
import pytest

from stages.lib.core.errors import UserError
from stages.lib.networks import build, pooling_file, tokens
from stages.lib.pretrained import presets
from stages.lib.pretrained.encoders import REFUSED, backbone_classes, check_name, sees
from stages.lib.pretrained.sizes import resized
from tests.packages import ROOT
from tests.stages import backbone_matrix
from tests.stages.every_backbone import EVERY
from tests.stages.families import FAMILIES, SIDE
from tests.stages.token_families import AROUND, TOKEN_FAMILIES, dino_v2, dino_v3, siglip_vision, vit

PAGE = (ROOT / "docs" / "backbones.md").read_text(encoding="utf-8")
ROW = r"^\| `(\w+)` \|(.*)\|$"


def test_every_class_that_keras_hub_exports_has_a_line():
    assert {name for name, one in backbone_classes().items() if sees(one)} == set(EVERY) | set(REFUSED)


def documented() -> dict[str, list[str]]:
    """The rows of the table of what works: taken out, gives, what unfreeze counts, explanations."""
    works, _ = PAGE.split("## What is refused")
    return {name: [cell.strip() for cell in rest.split("|")] for name, rest in re.findall(ROW, works, re.MULTILINE)}


def test_the_page_has_every_class_where_it_belongs():
    _, refused = PAGE.split("## What is refused")
    assert set(documented()) == set(EVERY)
    assert set(re.findall(r"`(\w+(?:Backbone|Encoder))`", refused)) == set(REFUSED)


@pytest.mark.slow
@pytest.mark.parametrize("name", EVERY)
def test_it_works_through_every_stage(name):
    (row,) = backbone_matrix.rows([name])
    _, gives, counted, explanations = documented()[name]
    assert [row[part] for part in backbone_matrix.PARTS] == [gives, "yes", explanations, "yes", "yes"]
    assert (counted == "blocks") == (explanations == "covering")


@pytest.mark.parametrize("name", [*REFUSED, "BertBackbone"])
def test_it_is_refused_in_one_line_before_anything_is_fetched(name, tmp_path):
    line = backbone_matrix.refusal(name, tmp_path)
    assert line.startswith(f"backbone.preset: expected a backbone of images, {name} is none: ")
    assert "\n" not in line


@pytest.mark.parametrize(
    "preset", ["bert_tiny_en_uncased", "gemma3_4b", "blip2_flan_t5_xl", "videoprism_public_v1_base"]
)
def test_the_class_of_a_name_that_keras_hub_knows_is_known_without_a_network(preset):
    with pytest.raises(UserError, match=r"^backbone\.preset: expected a backbone of images"):
        check_name(preset)


@pytest.mark.parametrize("preset", ["vit_base_patch16_224_imagenet", "clip_vit_base_patch16", "xception_41_imagenet"])
def test_a_backbone_of_images_is_not_refused_by_its_name(preset):
    check_name(preset)


def test_a_backbone_that_keras_hub_cannot_train_is_refused_in_one_line(tmp_path):
    folder = saved(dino_v3(0.1), tmp_path / "preset")
    with pytest.raises(UserError, match=r"^backbone\.preset: expected drop_path_rate 0 .* with 0\.1\. Received: "):
        presets.load(str(folder))


def saved(network, folder, pooling="mean"):
    """A preset directory of what `presets.load` makes of a network."""
    folder.mkdir()
    presets.save((network, keras_hub.layers.ImageConverter(scale=1 / 127.5, offset=-1.0)), folder)
    pooling_file.write(folder, pooling)
    return folder


IMAGES = np.random.default_rng(0).integers(0, 256, (2, SIDE, SIDE, 3)).astype(np.float32)


def vectors(folder):
    return build.feature_extractor(folder, SIDE, "float32")(IMAGES, training=False).numpy()


@pytest.mark.parametrize(("family", "own"), [("dei_t", 2), ("dino_v2_registers", 4)])
def test_the_class_token_and_the_patches_are_told_apart(family, own, tmp_path):
    backbone = TOKEN_FAMILIES[family]()
    rows = np.asarray(tokens.feature(backbone, IMAGES / 127.5 - 1.0))
    found = {pooling: vectors(saved(backbone, tmp_path / pooling, pooling)) for pooling in ("mean", "cls", "both")}
    np.testing.assert_allclose(found["mean"], rows[:, own:].mean(axis=1), atol=1e-5)
    np.testing.assert_allclose(found["cls"], rows[:, 0], atol=1e-5)
    np.testing.assert_array_equal(found["both"], np.hstack([found["mean"], found["cls"]]))


def test_a_vector_that_the_backbone_pooled_stays_as_it_is(tmp_path):
    backbone = siglip_vision()
    expected = np.asarray(tokens.feature(backbone, IMAGES / 127.5 - 1.0))
    np.testing.assert_allclose(vectors(saved(backbone, tmp_path / "preset")), expected, atol=1e-5)


@pytest.mark.parametrize("family", ["clip", "sig_lip"])
def test_a_vision_tower_is_taken_out_with_its_weights(family, tmp_path):
    network = AROUND[family]()
    taken, converter = presets.load(str(saved(network, tmp_path / "whole")))
    assert converter.scale == 1 / 127.5
    for one, other in zip(taken.get_weights(), network.vision_encoder.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_position_embeddings_are_resized_as_the_map_that_they_stand_for():
    backbone = vit()
    weight = next(one for one in backbone.weights if "position_embedding" in one.path)
    down, right = np.mgrid[0:4, 0:4] - 1.5
    slopes = np.zeros((17, 16), np.float32)
    slopes[0], slopes[1:, 0], slopes[1:, 1] = 7, down.ravel(), right.ravel()
    weight.assign(slopes)
    larger = resized(backbone, 2 * SIDE)
    found = np.asarray(next(one for one in larger.weights if one.path == weight.path))
    np.testing.assert_array_equal(found[0], slopes[0])
    middle = found[1:].reshape(8, 8, 16)[2:6, 2:6]
    expected = (np.mgrid[2:6, 2:6] - 3.5) / 2
    np.testing.assert_allclose(middle[..., 0], expected[0], atol=0.1)
    np.testing.assert_allclose(middle[..., 1], expected[1], atol=0.1)
    same = [one for one in zip(backbone.weights, larger.weights, strict=True) if one[0].path != weight.path]
    assert all(np.array_equal(*one) for one in same)


@pytest.mark.parametrize("family", ["efficient_net", "dense_net"])
def test_a_network_that_was_built_for_one_size_is_built_for_another(family):
    """EfficientNet calls the size in its configuration otherwise than all others do."""
    backbone = FAMILIES[family]()
    larger = resized(backbone, 2 * SIDE)
    assert tokens.image_shape(backbone) == (SIDE, SIDE)
    assert tokens.image_shape(larger) == (2 * SIDE, 2 * SIDE)
    for one, other in zip(backbone.get_weights(), larger.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_keras_hub_interpolates_itself_is_the_same_after_saving(tmp_path):
    backbone = resized(dino_v2(), 2 * SIDE)
    folder = saved(backbone, tmp_path / "preset")
    again = keras_hub.models.Backbone.from_preset(str(folder))
    for one, other in zip(backbone.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("content", ['{"pooling": "max"}', "[]", "no json"])
def test_a_pooling_that_is_none_is_one_clear_error(content, tmp_path):
    (tmp_path / "pooling.json").write_text(content)
    with pytest.raises(UserError, match=r"pooling\.json: expected one of mean, cls, both\. Received: "):
        pooling_file.read(tmp_path)
