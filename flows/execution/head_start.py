"""The first stages, while Prefect's server still starts: their tasks take them over."""

import os
import queue
import threading
from collections.abc import Sequence

from flows.execution.prefect_errors import ServerError
from flows.execution.process_output import LineTaker, StageResult, done
from flows.execution.stage_lines import lines_of
from flows.execution.together import Together
from flows.execution.watching import watcher
from flows.execution.whole_stage import run_whole
from flows.project.graph import StageNode

Told = queue.SimpleQueue[str | StageResult | BaseException]  # lines of a stage, and last of all what became of it


class HeadStart:
    """Runs stages in their order until it is closed, which lets the one at work go on.

    Attributes:
        stop: ends the stage at work once it is set, as does leaving the block with an exception.
        together: what runs stages in groups.
    """

    def __init__(self, stages: Sequence[StageNode], fresh: frozenset[str], together: Together | None = None) -> None:
        """Take all stages, in order, and the names of those that are up to date.

        Args:
            together: runs stages of these in groups; None: each runs by itself.
        """
        self.stop = threading.Event()
        self.together = together or Together(stages, ())
        self._waiting = [name for name in self.together.upstream if name not in fresh]
        self._begun: dict[str, Told] = {}
        self._lock = threading.Lock()
        # As they are before Prefect's server gets its own: no stage learns its password.
        self._environment = dict(os.environ)
        self._thread = threading.Thread(target=self._run, name="head start")

    def __enter__(self) -> "HeadStart":
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Wait for the stage at work; end it where something else than the server went wrong."""
        self.close()
        if kind and not issubclass(kind, ServerError):
            watcher().stopping()
            self.stop.set()
        self._thread.join()

    def close(self) -> None:
        """Begin no more stages."""
        with self._lock:
            self._waiting.clear()

    def taken_over(self, name: str, take_line: LineTaker) -> StageResult | None:
        """Follow a stage that was begun here to its end; None for all others, and from the second time on."""
        with self._lock:
            begun = self._begun.pop(name, None)
        while begun:
            told = begun.get()
            if isinstance(told, BaseException):
                raise told
            if isinstance(told, StageResult):
                return told
            take_line(told)
        return None

    def _run(self) -> None:
        while found := self._next():
            name, begun = found
            try:
                # Who watches sees it now; Prefect gets its lines once there is a task.
                result = self.together.taken_over(name, begun.put, self.stop, self._environment)
                if result is None:
                    with lines_of(name, begun.put) as take:
                        result = run_whole(name, take, self.stop, environment=self._environment)
            except BaseException as error:
                begun.put(error)
                return
            if done([result]):
                watcher().ended(result)
            begun.put(result)
            if not done([result]):
                return

    def _next(self) -> tuple[str, Told] | None:
        with self._lock:
            if not self._waiting:
                return None
            name = self._waiting.pop(0)
            self._begun[name] = Told()
            return name, self._begun[name]
