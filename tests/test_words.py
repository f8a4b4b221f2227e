"""Numbers of things in words, where it is one."""

from safety.words import counted


def test_one_thing_is_no_several():
    assert [counted(number, "image") for number in (0, 1, 2, 1200)] == [
        "0 images",
        "1 image",
        "2 images",
        "1,200 images",
    ]
    assert [counted(number, "copy is", "copies are") for number in (1, 2)] == ["1 copy is", "2 copies are"]
