"""The layout of images of which a few may lie where they do not belong."""

from collections import Counter
from collections.abc import Sequence

from stages.lib.core.errors import UserError
from stages.lib.inventory.strays import Strays
from stages.lib.labelling.layout import Layout, read_layout
from stages.lib.labelling.layout_refusal import Unclear
from stages.lib.labelling.names import class_in_name

Units = list[list[str]]
_TRIED = 100  # units, the smallest, each of which is left out for a try
_SAMPLE = 6  # paths of a unit: a layout is read from the kinds of paths that there are


def read_clear_layout(names: Sequence[str], strays: Strays, least: int) -> Layout:
    """Read the layout; where a few files make it unclear, read that of the others and set these aside.

    Which they are: the smallest unit (files of one folder, of one kind of name) without which the rest is clear; else
    all units that make it unclear when they are added, the large ones first. A unit that would give the others another
    meaning is set aside only if it is the only one.

    Args:
        names: as of `read_layout`.
        strays: whether files may be set aside, how many, and where to put them.
        least: images that a class needs; where two classes do not have them, something that lies beside all classes may
            have been taken for one.

    Raises:
        Unclear: as `read_layout`, where nothing may be set aside or too much would have to be.
    """
    try:
        layout = read_layout(names)
    except Unclear as error:
        kept = _clear(names, strays.most, least) if strays.allowed else None
        if kept is None:
            raise
        why = error.why
    else:
        enough = not strays.allowed or _has_two_classes(layout, names, least)
        kept = None if enough else _clear(names, strays.most, least)
        if kept is None:
            return layout
        why = "it lies beside the folder of all classes"
    strays.put(UserError(f"with it the layout is unclear: {why}"), sorted(set(names) - set(kept)))
    return read_layout(kept)


def _clear(names: Sequence[str], most: float, least: int) -> list[str] | None:
    """The names without the few that make their layout unclear; None where too many would have to go."""
    units = _units(names)
    few = [unit for unit in units if len(unit) <= most]
    for unit in reversed(few[-_TRIED:]):
        rest = [other for other in units if other is not unit]
        if _read(rest) and _has_two_classes(read_layout(kept := _all(rest)), kept, least):
            return kept
    chosen = _one_by_one(units, few) or []
    kept = _all(chosen)
    if len(names) - len(kept) > most or not _read(chosen):
        return None
    return kept if _has_two_classes(read_layout(kept), kept, least) else None


def _one_by_one(units: Units, few: Units) -> Units | None:
    """The large units, and every small one with which they stay clear; None where one gives them another meaning."""
    chosen = [unit for unit in units if unit not in few]
    for unit in few:
        before, after = _read(chosen), _read([*chosen, unit])
        if before and not after:
            continue
        if before and after:
            sample = _sampled(chosen)
            if list(map(before.place, sample)) != list(map(after.place, sample)):
                return None
        chosen.append(unit)
    return chosen


def _units(names: Sequence[str]) -> Units:
    """Files of one folder, those with a class in their names apart from others; the largest first."""
    found: dict[tuple[str, bool], list[str]] = {}
    for name in names:
        folder, _, file = name.rpartition("/")
        found.setdefault((folder, class_in_name(file) is None), []).append(name)
    return sorted(found.values(), key=lambda unit: (-len(unit), unit[0]))


def _sampled(units: Units) -> list[str]:
    """Some paths of each unit, of as many classes in the names as it has."""
    sample: list[str] = []
    for unit in units:
        by_label: dict[str | None, str] = {}
        for name in unit:
            by_label.setdefault(class_in_name(name.rpartition("/")[2]), name)
            if len(by_label) == _SAMPLE:
                break
        sample += by_label.values()
    return sample


def _read(units: Units) -> Layout | None:
    """The layout of some units; None where it is unclear, as that of one class is."""
    try:
        return read_layout(_sampled(units))
    except Unclear:
        return None


def _all(units: Units) -> list[str]:
    return [name for unit in units for name in unit]


def _labels(layout: Layout, names: Sequence[str]) -> Counter[str]:
    return Counter(placed.label for placed in map(layout.place, names) if placed)


def _has_two_classes(layout: Layout, names: Sequence[str], least: int) -> bool:
    return sum(count >= least for count in _labels(layout, names).values()) > 1
