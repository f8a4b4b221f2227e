"""Where predictions are written: every name comes back, and a file is there whole or not at all."""

import csv
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from pyarrow import parquet

from smallset.errors import UserError
from smallset.inference.results import Predictions, of_probabilities
from smallset.tables import targets, writers
from tests.smallset.tables.test_terminal import NAMES, predictions

ROOT = Path(__file__).resolve().parents[3]
HOSTILE = [*NAMES, "a\nb.jpg", "c\rd.jpg", 'with "quotes", and commas.jpg', "\u202egpj.exe", "\x1b[31mred.jpg"]


def write(found: Predictions, file: Path) -> None:
    with (
        targets.whole_file(file) as partial,
        writers.writing(partial, writers.format_of(file, "--output"), list(found[0].probabilities)) as row,
    ):
        for one in found:
            row(one)


def read(file: Path) -> list[list[object]]:
    """Rows: path, predicted, the probability of each class."""
    if file.suffix == ".csv":
        with file.open(encoding="utf-8", newline="") as opened:
            return [[*row[:2], *map(float, row[2:])] for row in list(csv.reader(opened))[1:]]
    if file.suffix == ".jsonl":
        rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        return [[row["path"], row["predicted"], *row["probabilities"].values()] for row in rows]
    return [list(row.values()) for row in parquet.read_table(file).to_pylist()]


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet", ".CSV"])
def test_every_name_comes_back_with_its_probabilities(tmp_path, suffix):
    found, file = predictions(HOSTILE, 20), tmp_path / f"out{suffix}"
    write(found, file)
    rows = read(file if suffix != ".CSV" else file.rename(tmp_path / "out.csv"))
    assert [row[:2] for row in rows] == [[one.path, one.label] for one in found]
    for row, one in zip(rows, found, strict=True):
        assert row[2:] == pytest.approx(list(one.probabilities.values()), abs=1e-6)
    if suffix == ".jsonl":
        assert file.read_bytes().isascii()
        assert b"\x1b" not in file.read_bytes()


def test_parquet_is_written_in_groups_of_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(writers, "_ROW_GROUP", 3)
    write(predictions(["a.jpg"] * 8), tmp_path / "out.parquet")
    found = parquet.ParquetFile(tmp_path / "out.parquet").metadata
    assert [found.row_group(group).num_rows for group in range(found.num_row_groups)] == [3, 3, 2]


def test_without_pyarrow_parquet_is_one_line_and_all_else_works(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setattr(writers, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"out\.parquet: Parquet needs pyarrow: pip install pyarrow$"):
        writers.format_of(Path("out.parquet"), "--output")
    write(predictions(["a.jpg"]), tmp_path / "out.csv")


@pytest.mark.parametrize("name", ["out.xlsx", "out", ".csv"])
def test_another_suffix_is_refused(name):
    with pytest.raises(UserError, match=r"expected a file with the suffix \.csv, \.jsonl, \.parquet"):
        writers.format_of(Path(name), "--output")


@pytest.mark.parametrize("name", ["=1+1", "+1", "-cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1+1"])
def test_no_cell_of_csv_is_a_formula_to_a_spreadsheet(tmp_path, name):
    rows = [([0.9, 0.1], f"{name}.jpg"), ([0.1, 0.9], "a=b.jpg")]
    write(Predictions(of_probabilities([name, "x"], *row[:1], 0, row[1]) for row in rows), tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        header, *cells = csv.reader(file)
    assert header == ["path", "predicted", f"p_{name}", "p_x"]
    assert [row[:2] for row in cells] == [[f"./{name}.jpg", f"'{name}"], ["a=b.jpg", "x"]]


def test_a_target_that_cannot_be_written_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("sub").mkdir()
    Path("file").touch()
    Path("to-sub").symlink_to("sub")
    Path("to-nothing").symlink_to("nothing/out.csv")
    reasons = {
        "sub": "found a folder",
        "to-sub": "found a folder",
        "file/out.csv": "is a file",
        "nothing/out.csv": "found no such folder",
        "to-nothing": "found no such folder",
    }
    for name, reason in reasons.items():
        with pytest.raises(UserError, match=rf"--csv {name}: expected a file .*{reason}"):
            targets.require_file(Path(name), "--csv")
    targets.require_file(Path("new.csv"), "--csv")
    with pytest.raises(UserError, match=r"--csv -: expected a file .*/dev/stdout is the name of that"):
        targets.require_file(Path("-"), "--csv")
    (tmp_path / "sub" / "kept.jpg").touch()
    for name, reason in {"sub": "not empty", "file": "found a file", "no/new": "found no folder"}.items():
        with pytest.raises(UserError, match=rf"--explain {name}: expected a folder that is new or empty: .*{reason}"):
            targets.require_folder(Path(name), "--explain")
    targets.require_folder(Path("new"), "--explain")


def test_a_file_and_a_folder_are_there_whole_or_not_at_all(tmp_path):
    (tmp_path / "out.csv").write_text("before")
    with pytest.raises(KeyboardInterrupt), targets.whole_file(tmp_path / "out.csv") as partial:
        partial.write_text("half")
        raise KeyboardInterrupt
    assert (tmp_path / "out.csv").read_text() == "before"
    with pytest.raises(KeyboardInterrupt), targets.whole_folder(tmp_path / "new") as partial:
        (partial / "half").touch()
        raise KeyboardInterrupt
    assert [one.name for one in tmp_path.iterdir()] == ["out.csv"]
    (tmp_path / "empty").mkdir()
    with targets.whole_folder(tmp_path / "empty") as partial:
        (partial / "1.jpg").touch()
    assert [one.name for one in (tmp_path / "empty").iterdir()] == ["1.jpg"]


def test_a_link_is_written_through(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link.csv").symlink_to("elsewhere/out.csv")
    for _ in range(2):
        targets.require_file(tmp_path / "link.csv", "--csv")
        write(predictions(NAMES), tmp_path / "link.csv")
        assert (tmp_path / "link.csv").is_symlink()
    assert [row[0] for row in read(tmp_path / "elsewhere" / "out.csv")] == NAMES


def test_a_named_pipe_is_written_to_and_kept(tmp_path):
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    targets.require_file(pipe, "--csv")
    got: list[str] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_text()))
    reader.start()
    write(predictions(["a.jpg"]), pipe)
    reader.join(10)
    assert pipe.is_fifo()
    assert got[0].startswith("path,predicted,")


@pytest.mark.skipif(not Path("/dev/fd").is_dir(), reason="no files for what is open")
def test_a_pipe_without_a_name_can_be_written(tmp_path):
    """As of a shell's `>(...)`, and of /dev/stdout before a pipe."""
    read_end, write_end = os.pipe()
    try:
        targets.require_file(Path(f"/dev/fd/{write_end}"), "--csv")
        found = predictions(["a.jpg"])
        with (
            targets.whole_file(Path(f"/dev/fd/{write_end}")) as partial,
            writers.writing(partial, "csv", list(found[0].probabilities)) as row,
        ):
            row(found[0])
        assert os.read(read_end, 1 << 16).startswith(b"path,predicted,")
    finally:
        os.close(read_end)
        os.close(write_end)


def test_a_name_as_long_as_a_file_system_takes_it_is_written(tmp_path):
    """Of letters that are several bytes each: 83 of three are 249, of 255."""
    file = tmp_path / ("\u732b" * 83)
    with targets.whole_file(file) as partial:
        partial.write_text("table")
    assert [one.name for one in tmp_path.iterdir()] == [file.name]


@pytest.mark.skipif(not Path("/dev/fd").is_dir(), reason="no files for what is open")
def test_what_stands_in_the_file_of_standard_output_stays(tmp_path):
    code = (
        "from pathlib import Path\nfrom smallset.tables.targets import whole_file\nprint('in between')\n"
        "with whole_file(Path('/dev/stdout')) as partial: partial.write_text('table')"
    )
    log = tmp_path / "log"
    log.write_text("before ")
    with log.open("a") as opened:
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, stdout=opened, check=True)
    assert log.read_text() == "before in between\ntable"
    assert [one.name for one in tmp_path.iterdir()] == ["log"]
