"""An output appears whole or not at all."""

import pandas as pd
import pytest

from stages.lib.core.errors import UserError
from stages.lib.core.outputs import atomic_directory, atomic_file, disable, is_disabled, require, write_csv


def test_a_file_that_fails_half_way_leaves_the_old_one(tmp_path):
    target = tmp_path / "deep" / "out.txt"
    with atomic_file(target) as partial:
        partial.write_text("first")
    with pytest.raises(RuntimeError), atomic_file(target) as partial:
        partial.write_text("sec")
        raise RuntimeError
    assert target.read_text() == "first"
    assert [path.name for path in target.parent.iterdir()] == ["out.txt"]


def test_a_directory_that_fails_half_way_leaves_the_old_one(tmp_path):
    target = tmp_path / "out"
    with atomic_directory(target) as partial:
        (partial / "a").write_text("first")
    with pytest.raises(RuntimeError), atomic_directory(target) as partial:
        (partial / "b").write_text("sec")
        raise RuntimeError
    assert [path.name for path in target.iterdir()] == ["a"]
    with atomic_directory(target) as partial:
        (partial / "c").write_text("third")
    assert [path.name for path in target.iterdir()] == ["c"]


def test_what_a_kill_left_behind_is_cleared_away(tmp_path):
    (tmp_path / ".out.partial").mkdir()
    (tmp_path / ".out.partial" / "half").touch()
    with atomic_directory(tmp_path / "out") as partial:
        assert not list(partial.iterdir())
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_disabled_output_is_known_and_refused(tmp_path):
    disable(tmp_path / "out", "features")
    assert is_disabled(tmp_path / "out")
    with pytest.raises(UserError, match=r"head needs features: set features\.enabled to true, or head\.enabled"):
        require(tmp_path / "out", "features", "head")


def test_a_table_reads_back_whatever_its_names_are(tmp_path):
    names = ["a\rb", "a\r\nb", "\n", 'q"x', "a,b", "\x1b[2J", "=1", "", "NA"]
    for chosen in (names, names[3:]):
        table = pd.DataFrame({"path": chosen, "p_\r" if "a\rb" in chosen else "p": [0.123456789] * len(chosen)})
        write_csv(table, tmp_path / "t.csv", float_format="%.7g")
        found = pd.read_csv(tmp_path / "t.csv", dtype={"path": str}, na_filter=False)
        assert list(found.columns) == list(table.columns)
        assert list(found["path"]) == chosen
        assert found.iloc[:, 1].dtype == float
    assert (tmp_path / "t.csv").read_bytes() == table.to_csv(index=False, float_format="%.7g").encode()
