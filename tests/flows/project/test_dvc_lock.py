"""dvc.lock after a process of DVC that was ended while it wrote there."""

from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest

from flows.project.dvc_lock import KeptLock
from flows.project.dvc_repo import open_project

OUT = "    - path: {0}\n      hash: md5\n      md5: {1}\n      size: 1200\n"
WHOLE = (
    "schema: '2.0'\nstages:\n"
    f"  first:\n    cmd: make\n    outs:\n{OUT.format('one', 'a' * 32)}"
    f"  last:\n    cmd: make\n    outs:\n{OUT.format('two', 'b' * 32)}{OUT.format('three', 'c' * 32)}"
)


@pytest.mark.parametrize("length", range(len("schema: '2.0'\n"), len(WHOLE), 3))
def test_wherever_it_was_cut_it_is_as_it_was(tmp_path: Path, length: int) -> None:
    """Also where the part is a dvc.lock that can be read, whose last stage has an output or a digit less."""
    (tmp_path / "dvc.lock").write_text(WHOLE)
    kept = KeptLock(tmp_path)
    (tmp_path / "dvc.lock").write_text(WHOLE[:length])
    assert kept.put_back()
    assert (tmp_path / "dvc.lock").read_text() == WHOLE


@pytest.mark.parametrize(
    "now", [WHOLE, WHOLE.replace("b" * 32, "d" * 32), WHOLE + "  new:\n    cmd: make\n", WHOLE.replace("1200", "7")]
)
def test_what_was_written_whole_stays(tmp_path: Path, now: str) -> None:
    (tmp_path / "dvc.lock").write_text(WHOLE)
    kept = KeptLock(tmp_path)
    (tmp_path / "dvc.lock").write_text(now)
    assert not kept.put_back()
    assert (tmp_path / "dvc.lock").read_text() == now


NEW = f"  new:\n    cmd: make\n    outs:\n{OUT.format('ö', 'c' * 32 + '.dir')}"


@pytest.mark.parametrize(
    "length", range(len("  new:\n    cmd: make\n") + 1, len(NEW.encode()) - len("      size: 1200\n"))
)
def test_a_stage_that_is_entered_for_the_first_time_is_there_whole_or_not_at_all(tmp_path: Path, length: int) -> None:
    """DVC takes no dvc.lock with half an output; no stage before it lacks one then."""
    (tmp_path / "dvc.lock").write_text(WHOLE)
    kept = KeptLock(tmp_path)
    (tmp_path / "dvc.lock").write_bytes(WHOLE.encode() + NEW.encode()[:length])
    assert kept.put_back()
    assert (tmp_path / "dvc.lock").read_text() == WHOLE


@pytest.mark.parametrize(
    "part", [b"", b"sch", WHOLE[:60].encode(), WHOLE[:-5].encode(), b"schema: '2.0'\nstages:\n  \xc3"]
)
def test_where_there_was_none_a_part_of_one_goes(tmp_path: Path, part: bytes) -> None:
    kept = KeptLock(tmp_path)
    (tmp_path / "dvc.lock").write_bytes(part)
    assert kept.put_back()
    assert not (tmp_path / "dvc.lock").exists()


def test_where_there_was_none_a_whole_one_stays(tmp_path: Path) -> None:
    kept = KeptLock(tmp_path)
    assert not kept.put_back()
    (tmp_path / "dvc.lock").write_text(WHOLE)
    assert not kept.put_back()
    assert (tmp_path / "dvc.lock").read_text() == WHOLE


@pytest.mark.parametrize("before", [b"", b"no: lock\n", b"\xff"])
def test_what_was_no_dvc_lock_is_nothing_to_go_back_to(tmp_path: Path, before: bytes) -> None:
    (tmp_path / "dvc.lock").write_bytes(before)
    kept = KeptLock(tmp_path)
    (tmp_path / "dvc.lock").write_text(WHOLE[:60])
    assert not kept.put_back()


def test_a_process_in_the_middle_of_its_writing_is_let_finish(make) -> None:
    project = make({})
    lock = project / "dvc.lock"
    lock.write_text(WHOLE)
    kept = KeptLock()
    with ThreadPoolExecutor() as others:
        with open_project():
            lock.write_text(WHOLE[:60])
            found = others.submit(kept.put_back)
            wait([found], 0.3)
            lock.write_text(WHOLE + "  new:\n    cmd: make\n")
        assert not found.result()
    assert lock.read_text().endswith("  new:\n    cmd: make\n")
