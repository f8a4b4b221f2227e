"""What the names of folders and files say: a subset, a class, or neither."""

import re
from collections.abc import Collection
from pathlib import PurePosixPath

from stages.lib.manifest import SubsetName

_SUBSETS: dict[str, SubsetName] = {
    **dict.fromkeys(("train", "training", "trainset"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev", "valset"), "validation"),
    **dict.fromkeys(("test", "testing", "testset", "pred"), "test"),
}
# What may stand beside such a word, as in `seg_train`, `training_set`, `val2017`, `test images`.
_BESIDE = {"set", "data", "dataset", "split", "seg", "image", "images", "img", "imgs", "pictures", "photos"}
_IMAGES = {"image", "images", "img", "imgs", "jpegimages", "rgb"}
_COMPANIONS = {
    *("annotation", "annotations", "bbox", "bboxes", "depth", "gt", "ground truth", "groundtruth", "label", "labels"),
    *("masks", "segmentation", "segmentations", "segmentationclass", "segmentationobject", "trimaps"),
}
# With a number they name a part of the data, such as `camera 2` or `fold_3`.
_PARTS = {
    *("batch", "burst", "cam", "camera", "card", "chunk", "clip", "day", "dir", "disc", "fold", "folder", "group"),
    *("month", "part", "patient", "person", "roll", "round", "run", "scene", "session", "set", "shard", "site"),
    *("split", "subject", "trip", "user", "v", "version", "video", "visit", "week", "year"),
}
# Cameras, scanners and programs number files so; nobody means a class by it.
_NO_CLASS = {
    *("capture", "copy", "crop", "dcim", "dsc", "dscf", "dscn", "file", "frame", "gopr", "im", "mvi", "page", "patch"),
    *("photo", "photos", "pic", "pics", "picture", "pictures", "pxl", "sample", "scan", "screenshot", "slide"),
    *("snapshot", "thumb", "tile", "untitled", "vid", "whatsapp"),
}
_DATE = re.compile(r"(19|20)\d\d([-_. ]?[01]\d([-_. ]?[0-3]\d)?)?")
_NUMBERED = re.compile(r"(?P<label>.+?)(?:[ ._-]+\d+|[ ._-]*\(\d+\))|(?P<short>[^\W\d_]+)\d+")


def subset_of(folder: str) -> SubsetName | None:
    """The subset that a folder of this name holds, such as `train`, `Val` or `test_set`; None for any other folder."""
    words = _words(folder)
    named = [_SUBSETS[word] for word in words if word in _SUBSETS]
    others = [word for word in words if word not in _SUBSETS and word not in _BESIDE and not word.isdecimal()]
    return named[0] if len(named) == 1 and not others else None


def class_in_name(name: str) -> str | None:
    """The class in front of the number of a file: `cat` of `cat.0.jpg`, `cat_0`, `cat-0`, `cat (0)` and `cat0`.

    Returns:
        None where there is no number or no class, as in `0001.jpg`, `IMG_0001.jpg` or `2023-01-02.jpg`.
    """
    found = _NUMBERED.fullmatch(PurePosixPath(name).stem)
    label = (found["label"] or found["short"]).strip(" ._-") if found else ""
    words = set(_words(label))
    is_class = any(letter.isalpha() for letter in label) and not words <= _NO_CLASS | _IMAGES | set(_SUBSETS)
    # A second number, as in `cat_2023-01`, could as well belong to the first.
    return label if is_class and not re.search(r"[ ._-]\d+$", label) else None


def doubt(folders: Collection[str], deep: Collection[str]) -> str | None:
    """Why folders beside each other may be something else than classes; None if they are classes.

    Args:
        folders: names. deep: those of them that have folders below.
    """
    subsets = sorted(folder for folder in folders if subset_of(folder))
    if subsets:
        others = sorted(set(folders) - set(subsets))
        return f"{_some(subsets)} beside {_some(others)}: a subset or a class?"
    words = {folder: " ".join(_words(folder)) for folder in folders}
    beside = sorted(folder for folder, word in words.items() if word in _IMAGES | _COMPANIONS)
    if beside:
        return f"folders {_some(sorted(folders))}: {_some(beside)} is no class"
    parts = sorted(folder for folder in deep if _is_part(folder))
    if parts:
        return f"folders {_some(parts)} with folders below: either could be the class"
    # Classes may be numbers, and some of many numbers look like years.
    dated = [folder for folder in folders if _DATE.fullmatch(folder)]
    parts = sorted(folder for folder in folders if _is_part(folder) and not folder.isdecimal())
    if len({*dated, *parts}) == len(folders) or (dated and not all(map(str.isdecimal, folders))):
        return f"folders {_some(sorted({*dated, *parts}))}: parts of the data or classes?"
    return None


def _is_part(folder: str) -> bool:
    words = _words(folder)
    numbered = any(word.isdecimal() for word in words)
    return bool(_DATE.fullmatch(folder)) or (numbered and all(word.isdecimal() or word in _PARTS for word in words))


def _words(name: str) -> list[str]:
    return re.findall(r"[^\W\d_]+|\d+", name.casefold())


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
