"""What `smallset predict` prints and where it writes; names are shown as they are."""

import csv
import os
import threading

import numpy as np
import pandas as pd
import pytest

from stages import predict as command
from stages.lib.core.errors import UserError
from stages.lib.inference import predictions
from stages.lib.inference.prediction_table import require_target, show, write

NAMES = [
    "IMG_1 [edited].jpg",
    "pics [old]/x.jpg",
    "a:cat:1.jpg",
    "q[/a].jpg",
    "[red]x[/red].jpg",
    "back\\[b].jpg",
    "猫.jpg",
]


def table(names: list[str], classes: int = 2) -> pd.DataFrame:
    probabilities = np.random.default_rng(1).dirichlet(np.ones(classes), len(names))
    return predictions.table(names, [f"kind [{number}]" for number in range(classes)], probabilities)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_shown_as_it_is(capsys, name):
    show(table([name]))
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
    show(table([name]))
    out = capsys.readouterr().out
    assert out.splitlines()[1].startswith(f"{shown}  kind [")
    assert out.count("\n") == 2


@pytest.mark.parametrize("classes", [2, 4, 5, 20, 200])
def test_each_image_has_one_line_through_a_pipe(capsys, classes):
    names = [f"{'long folder/' * 20}{number}.jpg" for number in range(3)]
    found = table(names, classes)
    show(found)
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert len(lines) == 4
    for name, line, (_, row) in zip(names, lines[1:], found.iterrows(), strict=True):
        assert line.startswith(f"{name}  {row['predicted']}  ")
        probabilities = row.iloc[2:].astype(float).sort_values(ascending=False)
        assert f"{probabilities.iloc[0]:.4f}" in line
        if classes > 4:
            # The next two are named, in their order.
            following = ", ".join(f"{key[2:]} {value:.4f}" for key, value in probabilities.iloc[1:3].items())
            assert line.rstrip().endswith(following)
    told = f"{classes - 3} more classes have less: --csv FILE writes the probability of every class\n"
    assert err == (told if classes > 4 else "")


def wrong_targets(folder):
    (folder / "sub").mkdir()
    (folder / "file").touch()
    (folder / "in.png").touch()
    (folder / "to-sub").symlink_to("sub")
    (folder / "to-nothing").symlink_to("nothing/out.csv")
    (folder / "to-in").symlink_to("in.png")
    return {
        "sub": "found a folder",
        "to-sub": "found a folder",
        "file/out.csv": "is a file",
        "nothing/out.csv": "found no such folder",
        "to-nothing": "found no such folder",
        "in.png": "found one of the images",
        "to-in": "found one of the images",
    }


def test_a_target_that_cannot_be_written_is_refused_before_any_work(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, reason in wrong_targets(tmp_path).items():
        with pytest.raises(UserError, match=rf"--csv {tmp_path}/{name}: expected a file .*{reason}"):
            # There is no model: that would be the next thing to be said.
            command.predict([tmp_path / "in.png"], None, tmp_path / name)
    with pytest.raises(UserError, match="--model"):
        command.predict([tmp_path / "in.png"], None, tmp_path / "new.csv")


def test_a_link_is_written_through(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link.csv").symlink_to("elsewhere/out.csv")
    for _ in range(2):
        require_target(tmp_path / "link.csv")
        write(table(NAMES), tmp_path / "link.csv")
        assert (tmp_path / "link.csv").is_symlink()
    found = predictions.read(tmp_path / "elsewhere" / "out.csv")
    assert list(found["path"]) == NAMES


def test_every_name_comes_back_from_the_table(tmp_path):
    names = [*NAMES, "a\nb.jpg", 'with "quotes", and commas.jpg', "\u202egpj.exe"]
    write(table(names, 20), tmp_path / "out.csv")
    found = predictions.read(tmp_path / "out.csv")
    assert list(found["path"]) == names
    assert found.shape == (len(names), 22)


def test_a_named_pipe_is_written_to_and_kept(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    require_target(pipe)
    got: list[str] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_text()))
    reader.start()
    write(table(["a.jpg"]), pipe)
    reader.join(10)
    assert pipe.is_fifo()
    assert got[0].startswith("path,predicted,")


def test_a_name_that_is_not_utf8_is_one_line_before_any_work(tmp_path):
    file = tmp_path / os.fsdecode(b"caf\xe9.png")
    file.touch()
    for paths in ([file], [tmp_path]):
        with pytest.raises(UserError, match="expected names of files in UTF-8: rename it"):
            command.predict(paths, None)


@pytest.mark.parametrize("name", ["=1+1", "+1", "-cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_is_a_formula_to_a_spreadsheet(tmp_path, name):
    table = predictions.table([f"{name}.jpg", "a=b.jpg"], [name, "x"], np.array([[0.9, 0.1], [0.1, 0.9]]))
    write(table, tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["path", "predicted", f"p_{name}", "p_x"]
    assert [row[:2] for row in rows[1:]] == [[f"./{name}.jpg", f"'{name}"], ["a=b.jpg", "x"]]
    assert table["path"][0] == f"{name}.jpg"
