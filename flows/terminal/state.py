"""What a run is doing now and how long it will take, as far as that is known."""

import time
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from flows.execution.process_output import Outcome, StageResult
from flows.terminal.progress import Progress, progress_in

_KEPT = 4  # last lines of a stage


@dataclass
class Running:
    """A stage at work.

    Attributes:
        place: which of the stages to do it is, from 1.
        since: time at which it began.
        lines: its last ones, without those that tell its progress.
        progress: the last that it has told.
        first: time and number of the first epoch that it has told.
        last: of the last one.
    """

    name: str
    place: int
    since: float
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=_KEPT))
    progress: Progress | None = None
    first: tuple[float, int] | None = None
    last: tuple[float, int] | None = None


class RunState:
    """All that a display shows; whoever changes or reads it from several threads holds a lock."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, expected: Mapping[str, float] | None = None
    ) -> None:
        """Nothing is planned yet.

        Args:
            clock: gives seconds.
            expected: seconds of stages, which go before those of last time.
        """
        self.clock, self.since = clock, clock()
        self.names: Sequence[str] = ()
        self.fresh: frozenset[str] = frozenset()
        self.running: dict[str, Running] = {}
        self.ended: set[str] = set()
        self.is_stopping = False
        self._places: dict[str, int] = {}
        self._expected = dict(expected or {})
        self._seconds: Mapping[str, float] = {}
        self._at_once = 1

    def plan(self, names: Sequence[str], fresh: Collection[str], seconds: Mapping[str, float]) -> None:
        """Take what the run consists of, as `Watcher.planned`."""
        self.names, self.fresh, self._seconds = tuple(names), frozenset(fresh), dict(seconds) | self._expected
        self.ended = set()
        self._places = {}

    @property
    def is_planned(self) -> bool:
        """Whether times are those that a plan expects."""
        return bool(self._expected)

    @property
    def to_do(self) -> int:
        """Number of stages that are not up to date."""
        return len(self.names) - len(self.fresh)

    def place_of(self, name: str) -> int:
        """Which of the stages to do this one is, from 1, in the order in which they begin."""
        return self._places.setdefault(name, len(self._places) + 1)

    def start(self, name: str) -> Running:
        """A stage begins, or begins again."""
        self.ended.discard(name)
        self.running[name] = Running(name, self.place_of(name), self.clock())
        self._at_once = max(self._at_once, len(self.running))
        return self.running[name]

    def say(self, name: str, line: str) -> Progress | None:
        """A stage says a line; what it says of its progress."""
        stage = self.running.get(name)
        found = progress_in(line)
        if stage is None:
            return found
        if found is None:
            stage.lines.append(line)
            return None
        stage.progress = found
        if found.is_epoch:
            stage.last = (self.clock(), found.done)
            if stage.first is None or found.done <= stage.first[1]:
                stage.first = stage.last
            stage.lines.append(line)
        return found

    def is_told(self, result: StageResult) -> bool:
        """Whether nothing is to be said of the end of a stage: it was up to date, its end is known, or nobody waits."""
        is_planned = not self.names or result.name in self.names or result.outcome is Outcome.FAILED
        return not is_planned or result.name in self.fresh or result.name in self.ended

    def end(self, name: str) -> None:
        """A stage has ended."""
        self.running.pop(name, None)
        self.ended.add(name)

    def left_of(self, stage: Running) -> float | None:
        """Seconds that a stage still takes: by its epochs, else as it took last time; None where nobody knows."""
        now = self.clock()
        if stage.progress and stage.first and stage.last and stage.last[1] > stage.first[1]:
            each = (stage.last[0] - stage.first[0]) / (stage.last[1] - stage.first[1])
            return max(0.0, each * (stage.progress.total - stage.last[1]) - (now - stage.last[0]))
        took = self._seconds.get(stage.name)
        # One that takes longer than last time: nobody knows any more.
        return None if took is None or now - stage.since > took else took - (now - stage.since)

    def left(self) -> float | None:
        """Seconds that the run still takes; None where that is not known of every stage."""
        waiting = [name for name in self.names if name not in self.fresh | self.ended | self.running.keys()]
        found = [self.left_of(stage) for stage in self.running.values()]
        found += [self._seconds.get(name) for name in waiting]
        known = [seconds for seconds in found if seconds is not None]
        if not found or len(known) < len(found):
            return None
        return max(*known, sum(known) / self._at_once) if known[1:] else known[0]
