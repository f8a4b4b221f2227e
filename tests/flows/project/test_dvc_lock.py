"""dvc.lock after a process of DVC that was ended while it wrote there."""

from pathlib import Path

import pytest

from flows.project.dvc_lock import KeptLock

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
