"""Tiny random backbones of KerasHub that give tokens, vectors or several maps, and networks made around a backbone."""

from collections.abc import Callable

import keras
import keras_hub

from tests.stages.families import SIDE, mi_t, vit_det

SHAPE = (SIDE, SIDE, 3)
VISION = {"patch_size": 8, "hidden_dim": 16, "num_layers": 2, "num_heads": 2, "intermediate_dim": 24}
TEXT = {
    "vocabulary_size": 20,
    "embedding_dim": 16,
    "hidden_dim": 16,
    "num_layers": 1,
    "num_heads": 2,
    "intermediate_dim": 24,
    "max_sequence_length": 6,
}


def vit(class_token: bool = True) -> keras.Model:
    return keras_hub.models.ViTBackbone(
        SHAPE, 8, num_layers=2, num_heads=2, hidden_dim=16, mlp_dim=24, dropout_rate=0.1, use_class_token=class_token
    )


def deit() -> keras.Model:
    return keras_hub.models.DeiTBackbone(SHAPE, **VISION, dropout_rate=0.1)


def dino_v2(registers: int = 0) -> keras.Model:
    return keras_hub.models.DINOV2Backbone(
        **VISION, num_register_tokens=registers, image_shape=SHAPE, position_embedding_shape=(48, 48, 3)
    )


def dino_v3(drop_path_rate: float = 0.0) -> keras.Model:
    return keras_hub.models.DINOV3Backbone(**VISION, image_shape=SHAPE, drop_path_rate=drop_path_rate)


def swin() -> keras.Model:
    return keras_hub.models.SwinTransformerBackbone(SHAPE, 8, (2, 1), (2, 2), window_size=4, patch_size=2)


def clip_vision() -> keras.Model:
    return keras_hub.models.CLIPVisionEncoder(**VISION, image_shape=SHAPE)


def clip() -> keras.Model:
    return keras_hub.models.CLIPBackbone(clip_vision(), keras_hub.models.CLIPTextEncoder(**TEXT), projection_dim=8)


def meta_clip_vision() -> keras.Model:
    return keras_hub.models.MetaCLIP2VisionEncoder(**VISION, image_shape=SHAPE)


def meta_clip() -> keras.Model:
    text = keras_hub.models.MetaCLIP2TextEncoder(**TEXT)
    return keras_hub.models.MetaCLIP2Backbone(meta_clip_vision(), text, projection_dim=8)


def siglip_vision() -> keras.Model:
    return keras_hub.models.SigLIPVisionEncoder(**VISION, image_shape=SHAPE)


def siglip() -> keras.Model:
    text = keras_hub.models.SigLIPTextEncoder(**TEXT, projection_dim=16)
    return keras_hub.models.SigLIPBackbone(siglip_vision(), text)


def hg_net(features: list[str] | None = None) -> keras.Model:
    return keras_hub.models.HGNetV2Backbone(
        depths=[1, 1],
        embedding_size=8,
        hidden_sizes=[16, 24],
        stem_channels=[3, 8, 8],
        hidden_act="relu",
        use_learnable_affine_block=True,
        stackwise_stage_filters=[(8, 8, 16, 1, 1, 3), (16, 8, 24, 1, 1, 3)],
        apply_downsample=[False, True],
        use_lightweight_conv_block=[False, True],
        image_shape=(None, None, 3),
        out_features=features,
    )


def d_fine() -> keras.Model:
    return keras_hub.models.DFineBackbone(
        backbone=hg_net(["stage1", "stage2"]),
        decoder_in_channels=[16, 16],
        encoder_hidden_dim=16,
        num_labels=4,
        num_denoising=0,
        learn_initial_query=False,
        num_queries=10,
        anchor_image_size=(SIDE, SIDE),
        feat_strides=[4, 8],
        num_feature_levels=2,
        hidden_dim=16,
        encoder_in_channels=[16, 24],
        encode_proj_layers=[1],
        num_attention_heads=2,
        encoder_ffn_dim=16,
        num_encoder_layers=1,
        hidden_expansion=0.5,
        depth_multiplier=0.5,
        eval_idx=-1,
        num_decoder_layers=1,
        decoder_attention_heads=2,
        decoder_ffn_dim=16,
        decoder_n_points=[2, 2],
        lqe_hidden_dim=8,
        num_lqe_layers=2,
        out_features=["stage1", "stage2"],
        image_shape=(None, None, 3),
        seed=0,
    )


def _deep_res_net(width: int = 8) -> keras.Model:
    return keras_hub.models.ResNetBackbone([64], [7], [64, width, width, width], [1] * 4, [1, 2, 2, 2], "basic_block")


def bas_net() -> keras.Model:
    encoder = keras_hub.models.ResNetBackbone(
        [64], [7], [64, 128, 256, 512], [1] * 4, [1, 2, 2, 2], "basic_block", image_shape=(None, None, 3)
    )
    return keras_hub.models.BASNetBackbone(encoder, num_classes=1, image_shape=(64, 64, 3))


def deep_lab() -> keras.Model:
    return keras_hub.models.DeepLabV3Backbone(
        _deep_res_net(), "P5", 8, [1, 2], low_level_feature_key="P2", projection_filters=4, image_shape=(64, 64, 3)
    )


def depth_anything() -> keras.Model:
    return keras_hub.models.DepthAnythingBackbone(
        dino_v2(),
        reassemble_factors=[2, 1],
        neck_hidden_dims=[8, 8],
        fusion_hidden_dim=8,
        head_hidden_dim=8,
        head_in_index=-1,
        feature_keys=["stage1", "stage2"],
    )


def parseq() -> keras.Model:
    encoder = keras_hub.models.ViTBackbone(
        (16, SIDE, 3), (4, 8), num_layers=1, num_heads=2, hidden_dim=16, mlp_dim=24, use_class_token=False
    )
    return keras_hub.models.PARSeqBackbone(
        encoder,
        vocabulary_size=12,
        max_label_length=5,
        decoder_hidden_dim=16,
        num_decoder_layers=1,
        num_decoder_heads=2,
        decoder_mlp_dim=16,
    )


def retina_net() -> keras.Model:
    return keras_hub.models.RetinaNetBackbone(_deep_res_net(), min_level=3, max_level=5, use_p5=False)


def sam() -> keras.Model:
    prompt = keras_hub.layers.SAMPromptEncoder(
        hidden_size=8, image_embedding_size=(4, 4), input_image_size=(SIDE, SIDE), mask_in_channels=4
    )
    mask = keras_hub.layers.SAMMaskDecoder(
        num_layers=1, hidden_size=8, intermediate_dim=16, num_heads=2, embedding_dim=8, num_multimask_outputs=3,
        iou_head_depth=2, iou_head_hidden_dim=8,
    )  # fmt: skip
    return keras_hub.models.SAMBackbone(vit_det(), prompt, mask)


def seg_former() -> keras.Model:
    return keras_hub.models.SegFormerBackbone(mi_t(), projection_filters=8)


TOKEN_FAMILIES: dict[str, Callable[[], keras.Model]] = {
    "clip_vision": clip_vision,
    "dei_t": deit,
    "dino_v2": dino_v2,
    "dino_v2_registers": lambda: dino_v2(registers=3),
    "dino_v3": dino_v3,
    "hg_net_v2": hg_net,
    "meta_clip_2_vision": meta_clip_vision,
    "sig_lip_vision": siglip_vision,
    "swin": swin,
    "vit": vit,
    "vit_no_class_token": lambda: vit(class_token=False),
}
# Networks whose backbone is taken out.
AROUND: dict[str, Callable[[], keras.Model]] = {
    "bas_net": bas_net,
    "clip": clip,
    "d_fine": d_fine,
    "deep_lab_v3": deep_lab,
    "depth_anything": depth_anything,
    "meta_clip_2": meta_clip,
    "par_seq": parseq,
    "retina_net": retina_net,
    "sam": sam,
    "seg_former": seg_former,
    "sig_lip": siglip,
}
