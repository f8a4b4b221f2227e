"""Lines that fit: of any letters, in any number of columns."""

import pytest
from rich.cells import cell_len

from flows.terminal.fitting import fitted

LINES = [
    "",
    "short",
    "rejected: /home/somebody/pictures/holidays/2024/summer/IMG_20240501_101010.jpg: cannot identify image file",
    r"rejected: C:\Users\somebody\Pictures\holidays\2024\summer\IMG_20240501_101010.jpg: cannot identify image file",
    "classes: 猫の写真、犬の写真、鳥の写真、馬の写真、魚の写真、亀の写真、猫の写真、犬の写真、鳥の写真",
    "/写真/猫の写真/犬の写真/鳥の写真/馬の写真/魚の写真/亀の写真/猫の写真.jpg",
    "الصنف قط وكلب وطائر وسمكة وحصان وبقرة وخروف ودجاجة وأرنب وفأر وسلحفاة وضفدع",
    "e\u0301" * 90,
    "👩\u200d🔬🐈" * 40,
    "a" * 5_000_000,
    "/" * 300,
]


@pytest.mark.parametrize("columns", [1, 2, 5, 39, 79, 119])
@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("mark", ["…", "..."])
def test_every_line_fits(line, columns, mark):
    assert cell_len(fitted(line, columns, mark)) <= columns


def test_what_fits_stays_as_it_is():
    assert fitted(LINES[2], len(LINES[2])) == LINES[2]


def test_a_path_loses_its_middle_and_keeps_the_name_of_its_file():
    found = fitted(LINES[2], 79)
    assert found.startswith("rejected: /home")
    assert found.endswith("_101010.jpg: cannot identify image file")


def test_other_lines_lose_their_end():
    assert fitted("epoch 1/2  loss 0.1", 10) == "epoch 1/2…"
