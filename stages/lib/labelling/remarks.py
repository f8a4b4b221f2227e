"""What is clear about classes and may still not be what somebody meant, in sentences."""

from collections import Counter
from collections.abc import Iterator, Sequence

from safety.words import counted, first_few
from stages.lib.inventory.contents import ArchiveImage
from stages.lib.labelling.layout import Layout
from stages.lib.labelling.names import literals

SHOWN = 5  # names of folders, classes or images


def of_layout(layout: Layout, names: Sequence[str]) -> Iterator[str]:
    """Say which folders mean nothing; of those that several classes have, how they would be the classes.

    Args:
        layout: as it was read from the names.
        names: of images.
    """
    below = layout.below_classes(names)
    if not below:
        return
    way = "else set split.labels"
    if len(layout.roots) == 1 and len(below) > 1 and all(count > 1 for count in below.values()):
        ((prefix, root),) = layout.roots.items()
        between = "(?P<subset>[^/]+)/" if root.subset_below else ""
        way = f"if they are the classes, set split.labels to '^{literals(prefix)}[^/]+/{between}(?P<label>[^/]+)/'"
    yield f"folders inside those of the classes say nothing: {first_few(sorted(below), SHOWN)} ({way})"


def of_subsets(images: Sequence[ArchiveImage]) -> Iterator[str]:
    """Say which classes are missing where the images of training come from: a name may be mistyped."""
    trained = {image.label for image in images if image.subset == "train"}
    others = Counter(image.label for image in images if image.subset not in (None, "train"))
    missing = sorted(others.keys() - trained)
    if trained and missing:
        told = [f"{label} ({counted(others[label], 'image')})" for label in missing]
        yield f"in no folder of training, so perhaps another name for a class: {first_few(told, SHOWN)}"
