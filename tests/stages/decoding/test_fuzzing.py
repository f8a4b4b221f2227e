"""No mutated image or archive ends in anything but an image, or a reason; never past a ceiling of memory or time.

python -m pytest -m slow tests/stages/decoding/test_fuzzing.py: minutes; SMALLSET_FUZZ_SEED and SMALLSET_FUZZ_COUNT
choose other mutations, and more of them.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SEED = int(os.environ.get("SMALLSET_FUZZ_SEED", "1"))
COUNT = int(os.environ.get("SMALLSET_FUZZ_COUNT", "20000"))


def fuzz(kind: str, seed: int, count: int, folder: Path) -> dict[str, int]:
    """Have so many mutations read in a process that is watched; gives how many there were of each outcome."""
    command = [sys.executable, "-W", "ignore", "-m", "tests.stages.fuzzed", kind, str(seed), str(count)]
    path = {"PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run(command, cwd=folder, env=os.environ | path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.returncode, (folder / "last.txt").read_text(), done.stderr[-3000:])
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize(("kind", "count"), [("images", 120), ("archives", 60)])
def test_some_mutations(kind: str, count: int, tmp_path: Path) -> None:
    found = fuzz(kind, 0, count, tmp_path)
    assert found["read"] + found["refused"] == count
    assert min(found.values()) > 0


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", ["images", "archives"])
def test_many_mutations(kind: str, tmp_path: Path) -> None:
    found = fuzz(kind, SEED, COUNT, tmp_path)
    assert found["read"] + found["refused"] == COUNT
    assert min(found.values()) > COUNT // 50
