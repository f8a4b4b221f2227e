"""Whether a backbone suits the images: what makes results worse than they need be, though nothing fails."""

from stages.lib.core.model_sections import SAMPLE


def cautions(source: str, preset: str | None, preset_size: int | None, image_size: int) -> list[str]:
    """What to know before trusting results on such a backbone, one sentence each, with what to set.

    Args:
        source: where the images come from, as `download.source` names it.
        preset: as `backbone.preset` names it; None where the backbone is turned off.
        preset_size: height and width in pixels of the images that the preset is made for; None where nobody knows.
        image_size: of the images that the backbone gets.
    """
    if preset is None:
        return []
    found = []
    if preset == SAMPLE and source != SAMPLE:
        found.append(
            "The backbone was pretrained on drawn cartoons and the images are not drawn (download.source: "
            f"{source}), so every model on it is worse than it could be: set backbone.preset: auto, or one that was "
            "pretrained on photographs, such as xception_41_imagenet, and common.image_size: preset."
        )
    if preset_size is not None and 2 * image_size < preset_size:
        found.append(
            f"The backbone was made for images of {preset_size} x {preset_size} pixels and gets {image_size} x "
            f"{image_size}, less than half of it, which costs accuracy: set common.image_size: preset, or a size "
            f"nearer to {preset_size}."
        )
    return found
