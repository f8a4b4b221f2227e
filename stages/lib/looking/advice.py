"""What to do where images do not say what their classes are: the commands, and what they would make of the images."""

import re
import shlex
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from safety.words import counted, first_few, listed
from stages.lib.core.params import AugmentationParams
from stages.lib.labelling.layout_refusal import Unclear
from stages.lib.labelling.likely_tables import likely_tables
from stages.lib.labelling.names import is_no_class

_MOST = 4  # tables, and classes of each way, that are told
_SIDE = re.compile("left|right")
_WORDNET = re.compile(r"n\d{8}")  # ImageNet's name of a class


def told(error: Unclear, names: Sequence[str], archive: Path) -> str:
    """Say what is unclear, in one line, with a command for each reading that gives two classes or more.

    Args:
        error: from reading the layout.
        names: of images.
        archive: with all names and tables.
    """
    with zipfile.ZipFile(archive) as opened:
        tables = likely_tables(opened)
    ways = [f"`smallset run` on {listed(tables[:_MOST], 'or')}, which may hold the labels"] if tables else []
    for way in error.ways:
        # A command that makes classes of subsets or of cameras is one that somebody will copy.
        if len(classes := _classes(way, names)) > 1 and not all(map(is_no_class, classes)):
            setting = shlex.quote(f"split.labels={way}")
            ways.append(f"`--set {setting}` would make {len(classes)} classes: {_counted(classes)}")
    if not ways:
        folders = {name.rpartition("/")[0] for name in names}
        where = (
            f"{counted(len(names), 'image')}, in one folder: {folders.pop() or 'this one'}"
            if len(folders) == 1
            else error.why
        )
        return (
            f"expected images of at least two classes. Received: {where}; put the images of each class into a "
            "folder of its own, named after it, or name the class of each in a csv with the columns path,label"
        )
    return f"split.labels: the paths do not clearly say what the classes are: {error.why}; {'; '.join(ways)}"


def wordnet(labels: Sequence[str]) -> Iterator[str]:
    """Say where classes have names that say nothing to a reader."""
    if labels and all(map(_WORDNET.fullmatch, labels)):
        yield (
            "the classes are called by ImageNet's numbers, and the report will call them so: for words rename their "
            "folders (LOC_synset_mapping.txt of ImageNet has them)"
        )


def sides(labels: Sequence[str], sections: Mapping[str, Any]) -> Iterator[str]:
    """Say where classes are called left and right, and models are asked to take a mirror image for the same thing.

    Args:
        labels: names of classes.
        sections: of params.yaml, each as its model.
    """
    alike: dict[str, list[str]] = {}
    for label in sorted(labels):
        alike.setdefault(_SIDE.sub("*", label.casefold()), []).append(label)
    told = [label for several in alike.values() if len(several) > 1 for label in several]
    on = {name: one for name, one in sections.items() if getattr(one, "enabled", True)}
    asked = [f"{name}.mirror" for name, one in on.items() if getattr(one, "mirror", False)]
    asked += [f"{name}.augmentation.flip" for name, one in on.items() if _flips(getattr(one, "augmentation", None))]
    if told and asked:
        yield (
            f"classes {first_few(told, _MOST)}: if a mirror image is of the other class, models cannot tell them "
            f"apart while these are true: {', '.join(asked)}"
        )


def _flips(augmentation: AugmentationParams | None) -> bool:
    return augmentation is not None and augmentation.flip


def _classes(pattern: str, names: Sequence[str]) -> Counter[str]:
    found = (re.search(pattern, name) for name in names)
    return Counter(match["label"] for match in found if match and match["label"])


def _counted(classes: Counter[str]) -> str:
    return first_few([f"{label} {count}" for label, count in sorted(classes.items())], _MOST)
