"""Three-way merge of params.yaml by key: layout, comments and new keys of the newer pipeline, values of one's own."""

from collections.abc import Collection, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from flows.project.parameters import dump, load

_ABSENT = object()


@dataclass
class Merged:
    """A merged params.yaml and what came of its keys.

    Attributes:
        held: as `merge` takes it.
        text: of the file.
        kept: keys with a value of one's own.
        defaults: keys whose default is another one now: the old and the new value.
        new: keys that the newer pipeline brings, with their defaults.
        gone: keys that it no longer has, with the value of one's own, or None where it was the default.
        both: keys of `kept` whose default is another one now: what a value means may have changed with it.
        lost: comments of one's own that are not in it.
    """

    held: frozenset[str] = frozenset()
    text: str = ""
    kept: dict[str, Any] = field(default_factory=dict)
    defaults: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    new: dict[str, Any] = field(default_factory=dict)
    gone: dict[str, Any] = field(default_factory=dict)
    both: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)


def merge(base: str, ours: str, theirs: str, by_lines: str | None = None, held: Collection[str] = ()) -> Merged:
    """Merge one's own params.yaml with that of a newer pipeline.

    Args:
        base: the text that both come from.
        by_lines: what git makes of the three, if it has merged them; taken where its values are the right ones,
            since it has one's own comments too.
        held: keys whose value is one's own though it is the default.

    Raises:
        YAMLError, ValueError: one of them is no YAML.
    """
    merged = Merged(held=frozenset(held))
    written, own = load(theirs, "rt"), load(ours, "rt")
    _merge(merged, (load(base), load(ours), load(theirs)), (own, written), "")
    merged.text = dump(written)
    if by_lines is not None and _values_of(by_lines) == load(merged.text):
        merged.text = by_lines
    there = set(_comments(base)) | set(_comments(merged.text))
    merged.lost = [comment for comment in _comments(ours) if comment not in there]
    return merged


def _merge(merged: Merged, sides: tuple[Any, Any, Any], texts: tuple[Any, Any], above: str) -> None:
    """Merge one mapping of keys into `texts[1]`, which is the newer one as it will be written."""
    (base, ours, theirs), (own, written) = sides, texts
    for key in theirs:
        name, three = f"{above}{key}", tuple(side.get(key, _ABSENT) for side in sides)
        if all(isinstance(value, Mapping) for value in three if value is not _ABSENT):
            if three[1] is not _ABSENT:
                parts = tuple({} if value is _ABSENT else value for value in three)
                _merge(merged, (parts[0], parts[1], parts[2]), (own[key], written[key]), f"{name}.")
            else:
                merged.new |= dict(_leaves(three[2], f"{name}."))
        elif _keeps(merged, name, three):
            written[key] = deepcopy(own[key])
    for key in [key for key in ours if key not in theirs]:
        if key not in base:
            # One's own key, such as the section of a stage of one's own; before the comments after the last key.
            written.insert(0 if above else len(written), key, deepcopy(own[key]))
            continue
        before = dict(_leaves(base[key], f"{above}{key}."))
        for name, value in _leaves(ours[key], f"{above}{key}."):
            merged.gone[name] = None if _is_same(before.get(name, _ABSENT), value) else value


def _keeps(merged: Merged, name: str, three: tuple[Any, ...]) -> bool:
    """Whether a value of one's own stays, and note what becomes of the key."""
    base, ours, theirs = three
    if ours is _ABSENT:
        merged.new[name] = theirs
        return False
    if base is not _ABSENT and _is_same(ours, base) and name not in merged.held:
        if not _is_same(base, theirs):
            merged.defaults[name] = (base, theirs)
        return False
    if _is_same(ours, theirs):
        return False
    merged.kept[name] = ours
    if base is not _ABSENT and not _is_same(base, theirs):
        merged.both[name] = (base, theirs)
    return True


def _leaves(value: Any, name: str) -> list[tuple[str, Any]]:
    """Every key below one with its value; `name` ends with a dot."""
    if not isinstance(value, Mapping):
        return [(name.removesuffix("."), value)]
    return [leaf for key, one in value.items() for leaf in _leaves(one, f"{name}{key}.")]


def _is_same(one: Any, other: Any) -> bool:
    # To `split`, 1 is one image and 1.0 all of them.
    return one is other or (one == other and type(one) is type(other))


def _values_of(text: str) -> Any:
    try:
        return load(text)
    except Exception:  # git has left its marks in it
        return None


def _comments(text: str) -> list[str]:
    """The comments of a text of YAML; each has a blank before it, as a `#` within a value has not."""
    lines = (f" {line}".partition(" #") for line in text.splitlines())
    return [comment.strip() for _, mark, comment in lines if mark and comment.strip()]
