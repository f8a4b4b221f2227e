"""A tiny random backbone for every class of KerasHub that takes images and is not refused by name."""

from collections.abc import Callable

import keras

from tests.stages import families, token_families
from tests.stages.families import FAMILIES
from tests.stages.token_families import AROUND, TOKEN_FAMILIES

EVERY: dict[str, Callable[[], keras.Model]] = {
    "BASNetBackbone": AROUND["bas_net"],
    "CLIPBackbone": AROUND["clip"],
    "CLIPVisionEncoder": TOKEN_FAMILIES["clip_vision"],
    "CSPNetBackbone": FAMILIES["cs3"],
    "DFineBackbone": AROUND["d_fine"],
    "DINOV2Backbone": TOKEN_FAMILIES["dino_v2_registers"],
    "DINOV3Backbone": TOKEN_FAMILIES["dino_v3"],
    "DeepLabV3Backbone": AROUND["deep_lab_v3"],
    "DeiTBackbone": TOKEN_FAMILIES["dei_t"],
    "DenseNetBackbone": FAMILIES["dense_net"],
    "DepthAnythingBackbone": AROUND["depth_anything"],
    "EfficientNetBackbone": FAMILIES["efficient_net"],
    "HGNetV2Backbone": TOKEN_FAMILIES["hg_net_v2"],
    "MetaCLIP2Backbone": AROUND["meta_clip_2"],
    "MetaCLIP2VisionEncoder": TOKEN_FAMILIES["meta_clip_2_vision"],
    "MiTBackbone": families.mi_t,
    "MobileNetBackbone": families.mobile_net,
    "MobileNetV5Backbone": lambda: families.mobile_net_v5(attention=True),
    "PARSeqBackbone": AROUND["par_seq"],
    "ResNetBackbone": FAMILIES["res_net_vd"],
    "RetinaNetBackbone": AROUND["retina_net"],
    "SAMBackbone": AROUND["sam"],
    "SegFormerBackbone": AROUND["seg_former"],
    "SigLIPBackbone": AROUND["sig_lip"],
    "SigLIPVisionEncoder": TOKEN_FAMILIES["sig_lip_vision"],
    "SwinTransformerBackbone": token_families.swin,
    "VGGBackbone": families.vgg,
    "ViTBackbone": token_families.vit,
    "ViTDetBackbone": families.vit_det,
    "XceptionBackbone": families.xception,
}
