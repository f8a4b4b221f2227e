"""Which class, and which subset, the folders and names of images give them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Literal

from stages.lib.images.manifest import SubsetName
from stages.lib.labelling.layout_refusal import Parts, Unclear, beside, refusal, shown, without_companions
from stages.lib.labelling.names import class_in_name, companion_in, crossed_pattern, doubt, some, subset_of, subsets_of


@dataclass(frozen=True, slots=True)
class Placed:
    """What is known of an image besides what it shows.

    Attributes:
        label: its class.
        subset: the one it was given by whoever collected it, None without.
        group: what must not be divided between subsets, such as a patient; empty without.
    """

    label: str
    subset: SubsetName | None = None
    group: str = ""


@dataclass(frozen=True, slots=True)
class _Root:
    """A folder right below which the classes are.

    Attributes:
        by: what gives the class; None: nothing does.
        subset: of everything below.
        subset_below: each class has folders of subsets.
    """

    by: Literal["folder", "name"] | None
    subset: SubsetName | None
    subset_below: bool = False


@dataclass(frozen=True)
class Layout:
    """How images are laid out.

    Attributes:
        roots: by their folders.
    """

    roots: dict[Parts, _Root]

    def place(self, name: str) -> Placed | None:
        """What the layout says of a file, or of a folder (its name ends in `/`); None if it gives no class."""
        prefix, below, file = self._divided(name)
        root = self.roots.get(prefix)
        if root is None or root.by is None:
            return None
        if root.by == "name":
            label = class_in_name(file)
            return Placed(label, root.subset) if label else None
        inner = subset_of(below[1]) if root.subset_below and len(below) > 1 else None
        return Placed(below[0], root.subset or inner) if below else None

    def below_classes(self, names: Sequence[str]) -> Counter[str]:
        """The names of folders inside those of the classes, which say nothing, and how many classes have each."""
        divided = [(self.roots.get(prefix), below) for prefix, below, _ in map(self._divided, names)]
        # Those of subsets, which say something, may lie between.
        deep = [(below, 2 if root.subset_below else 1) for root, below in divided if root]
        found = {(below[0], below[at]) for below, at in deep if len(below) > at}
        return Counter(inner for _, inner in found)

    def _divided(self, name: str) -> tuple[Parts, Parts, str]:
        """The root, the folders below it, and the file."""
        *folders, file = name.split("/")
        starts = (depth for depth in range(len(folders), -1, -1) if tuple(folders[:depth]) in self.roots)
        depth = next(starts, 0)
        return tuple(folders[:depth]), tuple(folders[depth:]), file


def read_layout(names: Sequence[str]) -> Layout:
    """Find the class in the paths of images.

    Folders around everything say nothing. Folders of subsets (`train`, `val`, `test_set`) may follow, above or below
    the class. The class is the next folder, whatever lies below; or, where one folder holds all files, what stands
    before the number in their names. Other subsets than training may have no classes; their files are left without.

    Args:
        names: of images, `/` between folders.

    Raises:
        Unclear: the paths tell less than two classes apart, or could be read in two ways.
    """
    if not names:
        raise Unclear("expected images of at least two classes. Received: no image", "no image")
    files = [tuple(name.split("/")) for name in names]
    start = _common(files)
    if subsets := subsets_of(_tops(files, start)):
        layout = Layout(_roots_of_subsets(files, start, subsets))
    else:
        around = [subset for folder in start if (subset := subset_of(folder))]
        layout = Layout(dict([_root(files, start, around[-1] if around else None, set())]))
    if len({placed.label for placed in map(layout.place, names) if placed}) < 2:
        raise refusal(files, shown(files))
    return layout


def _roots_of_subsets(files: Sequence[Parts], start: Parts, subsets: dict[str, SubsetName]) -> dict[Parts, _Root]:
    parts = {top: [file for file in files if file[len(start)] == top] for top in sorted(subsets)}
    known = _class_folders(list(parts.values()), start)
    by_folder: dict[str, set[str]] = {}
    roots = {}
    # Training first: where others have no class, theirs say so.
    for top in sorted(parts, key=lambda top: subsets[top] != "train"):
        prefix, root = _root(parts[top], (*start, top), subsets[top], known)
        roots[prefix] = root
        if root.by == "name":
            known |= {label for file in parts[top] if (label := class_in_name(file[-1]))}
        elif root.by == "folder":
            by_folder[top] = _tops(parts[top], prefix)
    for top, classes in by_folder.items():
        first, expected = next(iter(by_folder.items()))
        if not classes & expected:
            raise refusal(files, f"classes {some(expected)} in {first}, but {some(classes)} in {top}")
    return roots


def _class_folders(parts: Sequence[Sequence[Parts]], start: Parts) -> set[str]:
    """Names of folders of classes in any subset."""
    inner = [(part, _common(part)) for part in parts]
    known = {top for part, prefix in inner if "" not in (tops := _tops(part, prefix)) for top in tops}
    first = {file[len(start) + 1] for part in parts for file in part if len(file) > len(start) + 2}
    apart = {folder for folder in first if not subset_of(folder) and not doubt([folder], [])}
    return known or (apart if len(apart) > 1 else set())


def _root(files: Sequence[Parts], start: Parts, subset: SubsetName | None, known: set[str]) -> tuple[Parts, _Root]:
    """The folder below which the classes are.

    Args:
        start: the folder of the subset.
        known: classes of other subsets.
    """
    common, prefix = _common(files), start
    while len(prefix) < len(common) and common[len(prefix)] not in known:
        prefix = common[: len(prefix) + 1]
    tops = _tops(files, prefix)
    if tops == {""}:
        return prefix, _Root(_by_name(files, subset, known), subset)
    if "" in tops:
        loose = next(file for file in files if len(file) == len(prefix) + 1)
        raise refusal(files, f"{'/'.join(loose)}, which is in none, beside {some(tops - {''})}", prefix)
    deep = {file[len(prefix)] for file in files if len(file) > len(prefix) + 2}
    below = all(len(file) > len(prefix) + 2 and subset_of(file[len(prefix) + 1]) for file in files)
    if why := doubt(tops, set() if below else deep):
        raise refusal(files, why, prefix, crossed_pattern(tops) or without_companions(files, prefix, tops))
    inner = {folder for file in files for folder in file[len(prefix) + 1 : -1]}
    if companion := companion_in(inner):
        # Other subsets have folders of other names above their classes.
        pattern = rf"{'[^/]+/' * len(prefix)}(?P<label>[^/]+)/{beside(inner, companion)}/"
        raise refusal(files, f"folders {companion} inside those of the classes: are these images?", (), pattern)
    return prefix, _Root("folder", subset, below)


def _by_name(files: Sequence[Parts], subset: SubsetName | None, known: set[str]) -> Literal["name"] | None:
    labels = {class_in_name(file[-1]) for file in files}
    if None not in labels and (len(known) < 2 or labels & known):
        return "name"
    if known and subset != "train" and not labels & known:
        return None
    raise refusal(files, shown([file for file in files if not class_in_name(file[-1])] or files))


def _common(files: Sequence[Parts]) -> Parts:
    """The folders around all of them."""
    levels = zip(*(file[:-1] for file in files), strict=False)
    return tuple(names[0] for names in takewhile(lambda names: len(set(names)) == 1, levels))


def _tops(files: Sequence[Parts], prefix: Parts) -> set[str]:
    """Names of the folders right below `prefix`; empty for files that lie there."""
    return {file[len(prefix)] if len(file) > len(prefix) + 1 else "" for file in files}
