"""What a first look found, in figures and sentences: read by the same rules as the stage `split` reads it."""

import contextlib
import hashlib
import io
import zipfile
from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import Any

import numpy as np

from stages.lib.core.data_sections import AUTO, SplitParams, is_table
from stages.lib.core.errors import UserError
from stages.lib.images.manifest import SUBSETS
from stages.lib.images.set_aside import summary
from stages.lib.inventory.contents import ArchiveImage, Rejected
from stages.lib.inventory.strays import Strays
from stages.lib.labelling.labels import is_image_name, label_images
from stages.lib.labelling.layout_refusal import Unclear
from stages.lib.labelling.table import read_table
from stages.lib.looking.advice import told, wordnet
from stages.lib.looking.peeked import Peeked
from stages.lib.splitting.small_classes import assign_large_classes
from stages.lib.splitting.wishes import Amounts

_SHOWN = 5
_NO_PIXELS = np.zeros((0, 0, 3), np.uint8)


def found_in(peeked: Peeked, params: SplitParams, seed: int) -> dict[str, Any]:
    """Say what is there, as far as the sample tells.

    Args:
        peeked: as `peeked.peek` yields it.
        params: section `split` of params.yaml.
        seed: `common.seed`.

    Returns:
        files, looked_at, classes (images of each), layout (what gives the class), subsets (images that come as each),
        groups, ungrouped (images in none), unlabelled, strays, broken, contradicted (file and reason of the first ones;
        in all <key>_count), aside (in words), copies (images), all_compared, sizes (pixels: median and smallest of the
        shorter sides, largest of the longer ones), divided (images of each subset, about), least (of the class with
        the fewest there), remarks (sentences), folders_fit (whether split.order folders could keep the subsets that
        they come as).

    Raises:
        UserError: what the stage `split` would refuse, as far as it shows without the content of all files.
    """
    if is_table(params.labels):
        # A wrong table explains why there seem to be no images.
        with zipfile.ZipFile(peeked.archive) as opened, contextlib.redirect_stdout(io.StringIO()):
            read_table(opened, params.labels, Strays(allowed=True))
    _require_images(peeked, params.max_rejected)
    broken = {file.name for file in peeked.broken}
    images = [_stand_in(name, peeked) for name in peeked.names if name not in broken]
    most = params.max_rejected * len(peeked.names) - len(peeked.broken)
    strays = Strays(params.strays == "set_aside", most, params.max_rejected)
    try:
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            images, without = label_images(
                peeked.archive, images, peeked.broken, params.labels, params.group, strays, params.min_per_class
            )
    except Unclear as error:
        raise UserError(told(error, [image.name for image in images], peeked.archive)) from None
    divided = _divided(images, params, seed, strays)
    _require_few_strays(peeked, strays.listed_files(), params.max_rejected)
    # A class that is set aside is none of those that a run will know.
    images = [image for image in images if image.label not in strays.classes]
    remarks = [line for line in printed.getvalue().splitlines() if line]
    labels = sorted({image.label for image in images})
    return {
        "files": len(peeked.names),
        "looked_at": peeked.looked_at,
        "classes": dict(sorted(Counter(image.label for image in images).items())),
        "layout": _layout(images, params.labels),
        "subsets": _counted([image.subset for image in images if image.subset]),
        "folders_fit": _fits(images, params, seed),
        "groups": len({image.group for image in images if image.group}),
        "ungrouped": sum(not image.group for image in images),
        "unlabelled": _some(without),
        "unlabelled_count": len(without),
        "strays": _some(strays.listed()),
        "strays_count": len(strays.listed()),
        "broken": _some(peeked.broken),
        "broken_count": len(peeked.broken),
        "aside": summary(aside) if (aside := [name for name in peeked.aside if name != params.labels]) else "",
        **_copies(peeked, images),
        "sizes": _sizes(peeked),
        **divided,
        "remarks": [*remarks, *wordnet(labels), *peeked.unwatched],
    }


def _require_images(peeked: Peeked, limit: float) -> None:
    """Refuse a source of which little can be decoded."""
    if not peeked.sizes:
        names = [file.name for file in peeked.broken] or peeked.names
        first = f"; {peeked.broken[0].name}: {peeked.broken[0].reason}" if peeked.broken else ""
        raise UserError(
            f"expected images, found none that can be decoded among {len(peeked.names)} files: {summary(names)}{first}"
        )
    if _likely_broken(peeked) > limit * len(peeked.names):
        worst = peeked.broken[0]
        raise UserError(
            f"split.max_rejected: about {_likely_broken(peeked):.0f} of {len(peeked.names)} files cannot be decoded "
            f"(expected at most {limit:.1%}): {summary([file.name for file in peeked.broken])}; the first is "
            f"{worst.name}: {worst.reason}"
        )


def _require_few_strays(peeked: Peeked, strays: Sequence[Rejected], limit: float) -> None:
    """Refuse so much that does not fit that the stage would end with it."""
    bad = _likely_broken(peeked) + len(strays)
    if strays and bad > limit * len(peeked.names):
        raise UserError(
            f"split.max_rejected: about {bad:.0f} of {len(peeked.names)} files cannot be decoded or do not fit the "
            f"rest (expected at most {limit:.1%}); the first is {strays[0].name}: {strays[0].reason}"
        )


def _likely_broken(peeked: Peeked) -> float:
    """How many of all files are broken, if those of usual names that were not tried are as the others of these."""
    usual = sum(is_image_name(name) for name in peeked.names)
    good = sum(is_image_name(name) for name in peeked.sizes)
    bad = sum(is_image_name(file.name) for file in peeked.broken)
    return len(peeked.broken) - bad + (usual * bad / (good + bad) if bad else 0)


def _stand_in(name: str, peeked: Peeked) -> ArchiveImage:
    """An image of which the name is known and, of those that were decoded, the size."""
    width, height = peeked.sizes.get(name, (0, 0))
    # What was not read counts as different from all others.
    content = peeked.checksums.get(name) or hashlib.sha256(name.encode()).hexdigest()
    return ArchiveImage(name, "", width, height, 0, content, _NO_PIXELS, 0.0, 0.0)


def _divided(images: Sequence[ArchiveImage], params: SplitParams, seed: int, strays: Strays) -> dict[str, Any]:
    amounts: Amounts = {subset: getattr(params, subset) for subset in SUBSETS}
    numbers = {content: place for place, content in enumerate(dict.fromkeys(image.sha256 for image in images))}
    copies = np.array([numbers[image.sha256] for image in images], np.int64)
    found = assign_large_classes(images, copies, params.order, amounts, seed, params.min_per_class, strays)
    counts = Counter((subset, image.label) for subset, image in zip(found, images, strict=True) if subset in SUBSETS)
    labels = sorted({label for _, label in counts})
    return {
        "divided": {subset: sum(counts[subset, label] for label in labels) for subset in SUBSETS},
        "least": {subset: min(counts[subset, label] for label in labels) for subset in SUBSETS},
    }


def _fits(images: Sequence[ArchiveImage], params: SplitParams, seed: int) -> bool:
    """Whether the images come as subsets that `split.order: folders` could keep."""
    if len({image.subset for image in images}) < 2:
        return False
    try:
        _divided(images, params.model_copy(update={"order": "folders"}), seed, Strays())
    except UserError:
        return False
    return True


def _layout(images: Sequence[ArchiveImage], labels: str) -> str:
    """What gives the class of the images, in words."""
    if labels != AUTO:
        return f"the table {labels}" if is_table(labels) else f"split.labels {labels}"
    by_folder = all(image.label in image.name.split("/")[:-1] for image in images)
    return "the names of folders" if by_folder else "the names of files"


def _copies(peeked: Peeked, images: Sequence[ArchiveImage]) -> dict[str, Any]:
    labels: dict[str, set[str]] = {}
    copies = [image for image in images if image.name in peeked.copies]
    for image in copies:
        labels.setdefault(image.sha256, set()).add(image.label)
    apart = {content for content, found in labels.items() if len(found) > 1}
    contradicted = [Rejected(image.name, "") for image in images if image.sha256 in apart]
    return {
        "copies": len(copies) - len(labels),
        "contradicted": _some(contradicted),
        "contradicted_count": len(contradicted),
        "all_compared": peeked.all_compared,
    }


def _sizes(peeked: Peeked) -> dict[str, int]:
    shorter = [min(size) for size in peeked.sizes.values()]
    longest = max(max(size) for size in peeked.sizes.values())
    return {"median": round(median(shorter)), "smallest": min(shorter), "largest": longest}


def _counted(names: Sequence[str]) -> dict[str, int]:
    counts = Counter(names)
    return {name: counts[name] for name in SUBSETS if counts[name]}


def _some(files: Sequence[Rejected]) -> list[list[str]]:
    """The first few, each with its reason."""
    return [[file.name, file.reason] for file in files[:_SHOWN]]
