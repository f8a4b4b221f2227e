"""About how long the stages take: the rough figures of `flows.planning.work`, corrected by what runs here have taken.

The figures need not be good: before a run has told how fast this machine is a range is said, and after one each stage
is expected to take what it took, more or less by the work.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psutil

from flows.execution.machine import usable_cores
from flows.execution.process_output import Outcome
from flows.planning.work import Work, rough
from flows.project.whole_file import write_whole

PACE = Path(".smallset") / "pace.json"
_SLOWER = 3.0  # times that a slow machine, or one that gets busy, may well take of the rough figures
_TELLING = 60.0  # seconds of stages from which on they say how fast a machine is
_ALIKE = 4.0  # factor up to which the work of another run says how long a stage takes by itself


@dataclass(frozen=True)
class Expected:
    """How long stages are expected to take.

    Attributes:
        stages: seconds of each.
        known: whether runs here have told most of it.
    """

    stages: Mapping[str, float]
    known: bool

    @property
    def seconds(self) -> float:
        """Of all of them, one after the other."""
        return sum(self.stages.values())


def expect(stages: Sequence[str], work: Work) -> Expected:
    """Expect how long stages take here.

    Args:
        stages: names.
    """
    paces = _read()
    # How fast this machine is: little is known of that from a stage of seconds.
    took, said = (_TELLING + sum(pair[key] for pair in paces.values()) for key in ("seconds", "rough"))
    # What runs here took they took beside whatever else was at work.
    took *= 1.0 if paces else _busy()
    found, told = {}, 0.0
    for stage in stages:
        seconds, last = rough(stage, work), paces.get(stage)
        if last and last["rough"] > 0 and 1 / _ALIKE <= seconds / last["rough"] <= _ALIKE:
            found[stage] = seconds * last["seconds"] / last["rough"]
            told += found[stage]
        else:
            found[stage] = seconds * took / said
    return Expected(found, told > sum(found.values()) / 2)


def _busy() -> float:
    """How many times as long anything takes now, as others are at work: processes that want a core, for each core."""
    try:
        return max(1.0, psutil.getloadavg()[0] / usable_cores())
    except OSError:
        return 1.0


class Ended(Protocol):
    """A stage of a run, as its record has it."""

    @property
    def name(self) -> str:
        """Of the stage."""

    @property
    def outcome(self) -> str:
        """What became of it."""

    @property
    def seconds(self) -> float | None:
        """That it took."""


def remember(results: Collection[Ended], work: Work) -> None:
    """Keep how long the stages of a run took, for the next one."""
    paces = _read()
    for result in results:
        if result.outcome == Outcome.RAN and result.seconds:
            paces[result.name] = {"rough": round(rough(result.name, work), 2), "seconds": round(result.seconds, 2)}
    write_whole(PACE, json.dumps(paces, indent=2) + "\n")


def _read() -> dict[str, dict[str, float]]:
    """How long stages took in earlier runs; empty where nobody knows, or the file is not ours."""
    with suppress(FileNotFoundError, ValueError, AttributeError, TypeError, KeyError):
        found = json.loads(PACE.read_text(encoding="utf-8"))
        return {name: {key: float(pair[key]) for key in ("rough", "seconds")} for name, pair in found.items()}
    return {}


def about(seconds: float, known: bool) -> str:
    """A time that nobody knows to the second; where no run here has told it, from when it goes well to when not."""
    if known:
        return f"about {in_words(seconds)}"
    return f"{in_words(seconds)} to {in_words(_SLOWER * seconds)}"


def in_words(seconds: float) -> str:
    """A time, rounded."""
    if seconds < 90:
        return f"{max(10, round(seconds, -1)):.0f} s"
    if seconds < 90 * 60:
        return f"{round(seconds / 60):.0f} min"
    return f"{seconds / 3600:.1f} h"
