"""Presets to begin with, and the one that `backbone.preset: auto` takes. Light: nothing of KerasHub is imported."""

from collections.abc import Iterator
from contextlib import contextmanager

from stages.lib.core.errors import UserError, retold
from stages.lib.core.model_sections import AUTO_PRESET, SAMPLE

# Of KerasHub, by the parameters that its metadata states: the first is what a folder of photographs gets. Why these:
# docs/recommended_presets.md, whose table a test holds to the metadata.
RECOMMENDED = (
    "efficientnet_lite0_ra_imagenet",
    "efficientnet_b0_ra4_e3600_r224_imagenet",
    "efficientnet2_rw_t_ra2_imagenet",
    "xception_41_imagenet",
    "deit_small_distilled_patch16_224_imagenet",
    "dinov2_small",
    "swin_tiny_patch4_window7_224",
    "dinov2_base",
)


def preset_for(asked: str, source: str) -> str:
    """The preset that `backbone.preset` means.

    Args:
        asked: `backbone.preset`.
        source: `download.source`.

    Returns:
        Of `auto` the backbone of drawings where the images are drawn likewise, else the smallest recommended preset;
        of anything else itself.
    """
    if asked != AUTO_PRESET:
        return asked
    return SAMPLE if source == SAMPLE else RECOMMENDED[0]


@contextmanager
def ways_out(asked: str) -> Iterator[None]:
    """Say, where a preset that nobody named cannot be had, why it was taken and what else there is.

    Args:
        asked: `backbone.preset`.

    Raises:
        UserError: that of the block; of `auto` with more words.
    """
    try:
        yield
    except UserError as error:
        if asked != AUTO_PRESET:
            raise
        raise retold(
            error,
            f"{error}; auto took it: set backbone.preset to another one (`smallset run --preset ...`): a directory of "
            f"this machine with a KerasHub preset, a kaggle:// or hf:// handle, or {SAMPLE}, the backbone of drawings, "
            "which needs no network and is worse on photographs",
        ) from error
