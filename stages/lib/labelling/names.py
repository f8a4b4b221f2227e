"""What the names of folders and files say: a subset, a class, or neither."""

import re
from collections.abc import Collection, Iterable
from pathlib import PurePosixPath

from safety.words import first_few
from stages.lib.images.manifest import SubsetName

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
    *("capture", "cimg", "copy", "crop", "dcim", "dji", "download", "dsc", "dscf", "dscn", "file", "frame", "gopr"),
    *("hpim", "im", "imgp", "mg", "mvi", "page", "patch", "photo", "photos", "pic", "pics", "pict", "picture"),
    *("pictures", "pxl", "sample", "sany", "scan", "screenshot", "slide", "snapshot", "thumb", "tile", "unnamed"),
    *("untitled", "vid", "whatsapp"),
}
# Of the same images, made in several ways.
_VARIANTS = {
    *("augmented", "color", "colour", "cropped", "gray", "grayscale", "grey", "greyscale", "original", "originals"),
    *("preprocessed", "processed", "raw", "resized", "segmented"),
}
_UNMEANT = _NO_CLASS | _IMAGES | set(_SUBSETS)
_DATE = re.compile(r"(19|20)\d\d([-_. ]?[01]\d([-_. ]?[0-3]\d)?)?")
_NUMBERED = re.compile(r"(?P<label>.+?)(?:[ ._-]+\d+|[ ._-]*\(\d+\))|(?P<short>[^\W\d_]+)\d+")

_ANY_SUBSET = "|".join(sorted(_SUBSETS, key=len, reverse=True))
_IN_NAME = re.compile(
    rf"(?P<before>.*?)(?P<gap>[ ._-]*)(?P<subset>{_ANY_SUBSET})(?P<next>[ ._-]*).*",
    re.IGNORECASE,
)


def subset_of(folder: str) -> SubsetName | None:
    """The subset that a folder of this name holds, such as `train`, `Val` or `test_set`; None for any other folder."""
    words = _words(folder)
    named = [_SUBSETS[word] for word in words if word in _SUBSETS]
    others = [word for word in words if word not in _SUBSETS and word not in _BESIDE and not word.isdecimal()]
    return named[0] if len(named) == 1 and not others else None


def subsets_of(folders: Collection[str]) -> dict[str, SubsetName]:
    """The subset of each of the folders beside each other, also of `birds_train` beside `birds_test`.

    Returns:
        Empty where they are not all subsets.
    """
    named = {folder: subset for folder in folders if (subset := subset_of(folder))}
    if len(named) < len(folders):
        of = {folder: _divided(folder) for folder in folders}
        named = {folder: part[0] for folder, part in of.items() if part}
        if len({part[1] for part in of.values() if part}) > 1 or len(set(named.values())) < 2:
            return {}
    return named if len(named) == len(folders) else {}


def companion_in(folders: Collection[str]) -> str | None:
    """A folder that belongs to the images and holds none of them, such as `masks`; None without."""
    return next((folder for folder in sorted(folders) if " ".join(_words(folder)) in _COMPANIONS), None)


def crossed_pattern(folders: Collection[str]) -> str | None:
    """A regular expression for folders such as `train_cats` and `test_cats`; None where there are none."""
    crossed = _crossed(folders)
    found = {folder: match for folder in crossed if (match := _IN_NAME.fullmatch(folder))}
    if not crossed or len(found) < len(crossed):
        return None
    words = "|".join(sorted({match["subset"] for match in found.values()}))
    first = found[crossed[0]]
    if first["before"]:
        return f"(?P<label>[^/]+){re.escape(first['gap'])}(?P<subset>{words})/"
    return f"(?P<subset>{words}){re.escape(first['next'])}(?P<label>[^/]+)/"


def literal(name: str) -> str:
    """A regular expression for one name alone; a quotation mark, which would end what is copied, is any letter."""
    return re.escape(name).replace("'", ".")


def literals(folders: Iterable[str]) -> str:
    """A regular expression for folders inside each other, with the `/` behind each."""
    return "".join(f"{literal(folder)}/" for folder in folders)


def class_in_name(name: str) -> str | None:
    """The class in front of the number of a file: `cat` of `cat.0.jpg`, `cat_0`, `cat-0`, `cat (0)` and `cat0`.

    Returns:
        None where there is no number or no class, as in `0001.jpg`, `IMG_0001.jpg` or `2023-01-02.jpg`.
    """
    found = _NUMBERED.fullmatch(PurePosixPath(name).stem)
    label = (found["label"] or found["short"]).strip(" ._-") if found else ""
    is_class = any(letter.isalpha() for letter in label) and not set(_words(label)) <= _UNMEANT
    # A second number, as in `cat_2023-01`, could as well belong to the first.
    return label if is_class and not re.search(r"[ ._-]\d+$", label) else None


def is_no_class(name: str) -> bool:
    """Whether nobody means a class by a name: that of a subset, or of what a camera or a program calls its files."""
    return subset_of(name) is not None or set(_words(name)) <= _UNMEANT


def doubt(folders: Collection[str], deep: Collection[str]) -> str | None:
    """Why folders beside each other may be something else than classes; None if they are classes.

    Args:
        folders: names.
        deep: those of them that have folders below.
    """
    subsets = sorted(folder for folder in folders if subset_of(folder))
    if subsets:
        others = sorted(set(folders) - set(subsets))
        return f"{some(subsets)} beside {some(others)}: a subset or a class?"
    if crossed := _crossed(folders):
        return f"folders {some(crossed)}: subset and class in one name"
    words = {folder: " ".join(_words(folder)) for folder in folders}
    beside = sorted(folder for folder, word in words.items() if word in _IMAGES | _COMPANIONS)
    if beside:
        return f"folders {some(sorted(folders))}: {some(beside)} is no class"
    parts = sorted(folder for folder in deep if _is_part(folder))
    if len(deep) > 1 and all(_is_variant(folder) for folder in folders):
        parts = sorted(deep)
    if parts:
        return f"folders {some(parts)} with folders below: either could be the class"
    # Classes may be numbers, and some of many numbers look like years.
    dated = [folder for folder in folders if _DATE.fullmatch(folder)]
    parts = sorted(folder for folder in folders if _is_part(folder) and not folder.isdecimal())
    if len({*dated, *parts}) == len(folders) or (dated and not all(map(str.isdecimal, folders))):
        return f"folders {some(sorted({*dated, *parts}))}: parts of the data or classes?"
    return None


def _divided(folder: str) -> tuple[SubsetName, str] | None:
    """The subset in the name of a folder and the rest of the name: train and `a` of `trainA`; None without both."""
    words = _words(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", folder))
    named = [_SUBSETS[word] for word in words if word in _SUBSETS]
    rest = " ".join(word for word in words if word not in _SUBSETS)
    return (named[0], rest) if len(named) == 1 and rest else None


def _crossed(folders: Collection[str]) -> list[str]:
    """Folders whose names are equal but for their subsets, such as `train_cats` and `test_cats`; sorted."""
    of = {folder: part for folder in sorted(folders) if (part := _divided(folder))}
    subsets: dict[str, set[str]] = {}
    for subset, rest in of.values():
        subsets.setdefault(rest, set()).add(subset)
    return [folder for folder, (_, rest) in of.items() if len(subsets[rest]) > 1]


def _is_variant(folder: str) -> bool:
    words = _words(folder)
    return any(word in _VARIANTS for word in words) and all(word in _VARIANTS | _BESIDE for word in words)


def _is_part(folder: str) -> bool:
    words = _words(folder)
    numbered = any(word.isdecimal() for word in words)
    return bool(_DATE.fullmatch(folder)) or (numbered and all(word.isdecimal() or word in _PARTS for word in words))


def _words(name: str) -> list[str]:
    return re.findall(r"[^\W\d_]+|\d+", name.casefold())


def some(names: Iterable[str]) -> str:
    """The first three names, of a set in alphabetical order, and a sign that there are more."""
    return first_few(sorted(names) if isinstance(names, set) else list(names), 3)
