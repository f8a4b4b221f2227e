"""Tiny random backbones of the image families of KerasHub that give feature maps."""

from collections.abc import Callable

import keras
import keras_hub
import numpy as np
from keras import layers

SIDE = 32  # pixels


def settled(model: keras.Model) -> keras.Model:
    """Frozen, with normalisation as after a training, so that leaving any part of it out would show."""
    rng = np.random.default_rng(0)
    for layer in model._flatten_layers(include_self=False):
        if isinstance(layer, layers.BatchNormalization):
            values = {"gamma": (0.5, 1.5), "beta": (-1, 1), "moving_mean": (-1, 1), "moving_variance": (0.2, 2)}
            for name, limits in values.items():
                if (weight := getattr(layer, name)) is not None:
                    weight.assign(rng.uniform(*limits, weight.shape))
    model.trainable = False
    return model


def csp_net(block_type: str, stage_type: str, activation: str) -> keras.Model:
    return keras_hub.models.CSPNetBackbone(
        stem_filters=8,
        stem_kernel_size=3,
        stem_strides=1,
        stem_padding="same",
        stackwise_depth=[1, 2],
        stackwise_strides=[1, 2],
        stackwise_num_filters=[16, 16],
        bottle_ratio=[0.5],
        block_ratio=[1.0],
        expand_ratio=[2.0],
        block_type=block_type,
        stage_type=stage_type,
        activation=activation,
        image_shape=(SIDE, SIDE, 3),
    )


def dense_net() -> keras.Model:
    return keras_hub.models.DenseNetBackbone([1, 2], image_shape=(SIDE, SIDE, 3), growth_rate=8)


def efficient_net(block_type: str, dropout: float = 0.5) -> keras.Model:
    return keras_hub.models.EfficientNetBackbone(
        stackwise_width_coefficients=[1.0] * 2,
        stackwise_depth_coefficients=[1.0] * 2,
        stackwise_kernel_sizes=[3] * 2,
        stackwise_num_repeats=[1, 2],
        stackwise_input_filters=[8] * 2,
        stackwise_output_filters=[8, 16],
        stackwise_expansion_ratios=[1, 4],
        stackwise_strides=[1, 2],
        stackwise_squeeze_and_excite_ratios=[0.25, 0],
        stackwise_block_types=[block_type] * 2,
        stackwise_force_input_filters=[0] * 2,
        stackwise_nores_option=[False] * 2,
        activation="swish",
        dropout=dropout,
        min_depth=8,
        input_shape=(SIDE, SIDE, 3),
    )


def mi_t() -> keras.Model:
    return keras_hub.models.MiTBackbone(
        [1, 1], 2, [1, 2], [2, 1], 0.5, [7, 3], [4, 2], image_shape=(SIDE, SIDE, 3), hidden_dims=[8, 16]
    )


def mobile_net() -> keras.Model:
    return keras_hub.models.MobileNetBackbone(
        stackwise_expansion=[[16, 24], [24, 24]],
        stackwise_num_blocks=[2, 2],
        stackwise_num_filters=[[16, 16], [16, 16]],
        stackwise_kernel_size=[[3, 3], [5, 5]],
        stackwise_num_strides=[[2, 1], [2, 1]],
        stackwise_se_ratio=[[None, 0.25], [None, 0.25]],
        stackwise_activation=[["relu", "relu"], ["hard_swish", "hard_swish"]],
        stackwise_padding=[[1, 1], [2, 2]],
        output_num_filters=32,
        depthwise_filters=8,
        depthwise_stride=1,
        depthwise_residual=True,
        last_layer_filter=32,
        squeeze_and_excite=0.25,
        image_shape=(SIDE, SIDE, 3),
        input_activation="hard_swish",
        output_activation="hard_swish",
        input_num_filters=8,
    )


def mobile_net_v5(attention: bool = False) -> keras.Model:
    last = "mqa" if attention else "uir"
    return keras_hub.models.MobileNetV5Backbone(
        stackwise_block_types=[["er"], ["uir", last]],
        stackwise_num_blocks=[1, 2],
        stackwise_num_filters=[[16], [16, 16]],
        stackwise_strides=[[2], [2, 1]],
        stackwise_act_layers=[["gelu"], ["gelu", "gelu"]],
        stackwise_exp_ratios=[[2.0], [2.0, 2.0]],
        stackwise_se_ratios=[[0.0], [0.0, 0.0]],
        stackwise_dw_kernel_sizes=[[0], [5, 5]],
        stackwise_dw_start_kernel_sizes=[[0], [3, 0]],
        stackwise_dw_end_kernel_sizes=[[0], [0, 0]],
        stackwise_exp_kernel_sizes=[[3], [0, 0]],
        stackwise_pw_kernel_sizes=[[1], [0, 0]],
        stackwise_num_heads=[[0], [0, 2]],
        stackwise_key_dims=[[0], [0, 8]],
        stackwise_value_dims=[[0], [0, 8]],
        stackwise_kv_strides=[[0], [0, 1]],
        stackwise_use_cpe=[[False], [False, False]],
        use_msfa=False,
        drop_path_rate=0.5,
        image_shape=(SIDE, SIDE, 3),
    )


def res_net(block_type: str, pre_activation: bool = False) -> keras.Model:
    stem = ([8, 8, 16], [3, 3, 3]) if block_type.endswith("vd") else ([64], [3])
    return keras_hub.models.ResNetBackbone(
        *stem, [64, 16], [1, 2], [1, 2], block_type, use_pre_activation=pre_activation, image_shape=(SIDE, SIDE, 3)
    )


def vgg() -> keras.Model:
    return keras_hub.models.VGGBackbone([1, 1], [8, 8], image_shape=(SIDE, SIDE, 3))


def vit_det() -> keras.Model:
    return keras_hub.models.ViTDetBackbone(
        hidden_size=8,
        num_layers=2,
        intermediate_dim=16,
        num_heads=2,
        global_attention_layer_indices=[1],
        image_shape=(SIDE, SIDE, 3),
        patch_size=8,
        num_output_channels=8,
        window_size=2,
    )


def xception() -> keras.Model:
    filters = [[8, 16], [24, 24], [24, 24, 24], [24, 32], [32, 40]]
    return keras_hub.models.XceptionBackbone(filters, [False, True, False, True, False], image_shape=(SIDE, SIDE, 3))


FAMILIES: dict[str, Callable[[], keras.Model]] = {
    "csp_dark_net": lambda: csp_net("dark_block", "csp", "leaky_relu"),
    "csp_res_net": lambda: csp_net("bottleneck_block", "csp", "leaky_relu"),
    "csp_edge": lambda: csp_net("edge_block", "csp", "silu"),
    "cs3": lambda: csp_net("bottleneck_block", "cs3", "silu"),
    "dark_net": lambda: csp_net("dark_block", "dark", "leaky_relu"),
    "dense_net": dense_net,
    "efficient_net": lambda: efficient_net("v1"),
    "efficient_net_v2": lambda: efficient_net("fused"),
    "efficient_net_unfused": lambda: efficient_net("unfused"),
    "efficient_net_lite": lambda: efficient_net("cba"),
    "mi_t": mi_t,
    "mobile_net": mobile_net,
    "mobile_net_v5": mobile_net_v5,
    "mobile_net_v5_attention": lambda: mobile_net_v5(attention=True),
    "res_net": lambda: res_net("basic_block"),
    "res_net_vd": lambda: res_net("bottleneck_block_vd"),
    "res_net_v2": lambda: res_net("bottleneck_block", pre_activation=True),
    "vgg": vgg,
    "vit_det": vit_det,
    "xception": xception,
}
