"""What `smallset predict` prints: names are shown as they are, a line for each image."""

import numpy as np
import pytest

from smallset.inference.results import Predictions, of_probabilities
from smallset.tables import terminal

NAMES = [
    "IMG_1 [edited].jpg",
    "pics [old]/x.jpg",
    "a:cat:1.jpg",
    "q[/a].jpg",
    "[red]x[/red].jpg",
    "back\\[b].jpg",
    "猫.jpg",
]


def predictions(names: list[str], classes: int = 2) -> Predictions:
    rows = np.random.default_rng(1).dirichlet(np.ones(classes), len(names))
    kinds = [f"kind [{number}]" for number in range(classes)]
    return Predictions(
        of_probabilities(kinds, row, index, name) for index, (name, row) in enumerate(zip(names, rows, strict=True))
    )


def show(found: Predictions) -> None:
    with terminal.showing(list(found[0].probabilities)) as write:
        for one in found:
            write(one)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_shown_as_it_is(capsys, name):
    show(predictions([name]))
    assert capsys.readouterr().out.splitlines()[1].startswith(f"{name}  kind [")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\nb.jpg", r"a\nb.jpg"),
        ("a\tb\r.jpg", r"a\tb\r.jpg"),
        ("\x1b[31mred.jpg", r"\x1b[31mred.jpg"),
        ("\u202egpj.exe", r"\u202egpj.exe"),
        ("\u2028x.jpg", r"\u2028x.jpg"),
        ("caf\udce9.jpg", r"caf\xe9.jpg"),
    ],
)
def test_what_a_terminal_would_obey_is_escaped(capsys, name, shown):
    show(predictions([name]))
    out = capsys.readouterr().out
    assert out.splitlines()[1].startswith(f"{shown}  kind [")
    assert out.count("\n") == 2


@pytest.mark.parametrize("classes", [2, 4, 5, 20, 200])
def test_each_image_has_one_line(capsys, classes):
    found = predictions([f"{'long folder/' * 20}{number}.jpg" for number in range(3)], classes)
    show(found)
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert len(lines) == 4
    for one, line in zip(found, lines[1:], strict=True):
        assert line.startswith(f"{one.path}  {one.label}  ")
        ordered = sorted(one.probabilities.items(), key=lambda pair: -pair[1])
        assert f"{ordered[0][1]:.4f}" in line
        if classes > 4:
            # The next two are named, in their order.
            assert line.endswith(", ".join(f"{name} {value:.4f}" for name, value in ordered[1:3]))
    told = f"{classes - 3} more classes have less: --output FILE writes the probability of every class\n"
    assert err == (told if classes > 4 else "")


def test_columns_stand_below_each_other_and_rows_come_while_others_are_computed(capsys):
    found = predictions(["猫.jpg", "a.jpg", "longer name.jpg"] * 100)
    with terminal.showing(list(found[0].probabilities)) as write:
        for one in found[:299]:
            write(one)
        assert capsys.readouterr().out.count("\n") == 300
        write(found[299])
    assert capsys.readouterr().out.count("\n") == 1
    show(Predictions(found[:3]))
    header, cat, short, long = capsys.readouterr().out.splitlines()
    assert [line.index("kind [") for line in (short, long)] == [header.index("predicted")] * 2
    assert cat.index("kind [") == header.index("predicted") - 1  # the character takes two cells


def test_what_was_held_back_is_shown_when_it_is_interrupted(capsys):
    found = predictions(["a.jpg"])
    with pytest.raises(KeyboardInterrupt), terminal.showing(list(found[0].probabilities)) as write:
        write(found[0])
        raise KeyboardInterrupt
    assert "a.jpg" in capsys.readouterr().out
