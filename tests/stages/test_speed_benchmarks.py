"""The benchmarks of speed: sides measured in turns, and each command on tiny images."""

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from benchmarks import sides

ROOT = Path(__file__).resolve().parents[2]


class Sleeper:
    """Writes down its turns, and takes its time."""

    def __init__(self, log: Path, name: str, seconds: float) -> None:
        self.log, self.name, self.seconds = log, name, seconds

    def turn(self) -> dict[str, float]:
        with self.log.open("a") as file:
            file.write(f"{self.name}{os.getpid()} ")
        return {"work": self.seconds, "rest": 1.0}

    def about(self) -> dict[str, str]:
        return {"by": self.name}


def nothing() -> None:
    """Start without TensorFlow."""


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, sides.Result], list[str]]:
    log = tmp_path_factory.mktemp("sides") / "log"
    both = {name: partial(Sleeper, log, name, seconds) for name, seconds in (("slow", 3.0), ("fast", 1.0))}
    return sides.measure(both, 2, nothing), log.read_text().split()


def test_sides_take_turns_in_processes_of_their_own(results):
    slow, fast = results[1][:2]
    assert results[1] == [slow, fast] * 3
    assert slow.removeprefix("slow") != fast.removeprefix("fast")


def test_the_first_turn_does_not_count(results):
    measured, _ = results
    assert measured["slow"].seconds == {"work": [3.0, 3.0], "rest": [1.0, 1.0]}
    assert measured["fast"].total() == [2.0, 2.0]
    assert len(measured["fast"].processor) == 2
    assert 10_000_000 < measured["fast"].peak < 10_000_000_000
    assert measured["fast"].about == {"by": "fast"}


def test_the_table_has_the_ratio_to_the_first_side(results, capsys):
    sides.show("title", results[0], {"work": 6}, False)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].strip() == "title"
    assert "2.0 (2.0-2.0)" in lines[2]
    assert "6.0 (6.0-6.0)" in lines[3]
    assert "2.00 (2.00-2.00)" in lines[3]
    assert lines[3].rstrip().endswith("by fast")


def test_some_images_of_each_class_are_linked(two_classes):
    files = sides.some(two_classes[0], {"train": 6})
    with sides.links(files) as folder:
        assert sorted(path.name for path in folder.glob("train/*")) == ["cat", "dog"]
        assert len(list(folder.glob("train/dog/*"))) == 3
        assert all(path.read_bytes() for path in folder.glob("train/*/*"))
    assert not folder.exists()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["training", "heads", "features", "determinism"])
def test_a_command_measures_its_sides(name, two_classes, preset):
    command = [sys.executable, "-m", f"benchmarks.{name}", two_classes[0], *([] if name == "training" else [preset])]
    options = ["--images", "8", "--turns", "1", "--size", "32", "--batch", "4", "--precision", "float32", "--json"]
    done = subprocess.run(
        [*map(str, command), *options], cwd=ROOT, capture_output=True, text=True, timeout=500, check=False
    )
    assert done.returncode == 0, done.stderr
    tables = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(tables) == {"features": 1, "determinism": 3}.get(name, 2)
    for table in tables:
        assert len(table["sides"]) >= 2
        for side in table["sides"].values():
            assert all(np.all(np.array(seconds) > 0) for seconds in side["seconds"].values())
            assert side["peak"] > 0
