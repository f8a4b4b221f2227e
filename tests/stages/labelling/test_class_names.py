"""Names of classes that look alike, or that cannot be folders."""

import pytest

from stages.lib.core.errors import UserError
from stages.lib.labelling.class_names import check_classes


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("cat", "Cat"),
        ("cat", "cat "),
        ("cat", " cat"),
        ("great tit", "great  tit"),
        ("cat", "cat\u200b"),
        ("cat", "ca\u00adt"),
        ("caf\u00e9", "cafe\u0301"),
        ("\ufb01nch", "finch"),
        ("stra\u00dfe", "STRASSE"),
        ("\u2764", "\u2764\ufe0f"),
    ],
)
def test_names_that_look_alike_are_refused_with_both(one: str, other: str) -> None:
    with pytest.raises(UserError, match="differ only in case, spaces, invisible characters") as caught:
        check_classes([one, other, "dog"])
    shown = {one, other} & set(str(caught.value).split("'"))
    assert shown == {one, other} or "\\" in str(caught.value)


@pytest.mark.parametrize("name", ["", " ", ".", "..", "a/b", "a\\b", "a\nb", "x" * 256, "é" * 128])
def test_a_name_that_cannot_be_a_folder_is_refused(name: str) -> None:
    with pytest.raises(UserError, match="split: class "):
        check_classes(["dog", name])


def test_names_that_differ_are_kept() -> None:
    check_classes(["cat", "cats", "great tit", "great_tit", "1", "01", "猫", "NA", "ä", "a"])
