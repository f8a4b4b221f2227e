"""Who watches the run of this process: nobody, or what shows it to a person."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

from flows.execution.process_output import StageResult


class Watcher:
    """Is told what a run does, from several threads; this one looks away."""

    def planned(self, names: Sequence[str], fresh: Collection[str], seconds: Mapping[str, float]) -> None:
        """Take what the run consists of.

        Args:
            names: all stages, in order.
            fresh: those that are up to date.
            seconds: how long stages took when they last ran, where that is known.
        """

    def started(self, name: str) -> None:
        """Take that a stage is at work."""

    def said(self, name: str, line: str) -> None:
        """Take a line of a stage, without anything that a terminal would obey."""

    def ended(self, result: StageResult) -> None:
        """Take what became of a stage."""

    def noted(self, text: str) -> None:
        """Take a word of the run itself, of one or several lines, such as its first headline."""

    def stopping(self) -> None:
        """Take that all stages are being ended."""


_nobody = Watcher()
_present = _nobody


def watcher() -> Watcher:
    """Who watches."""
    return _present


def is_watched() -> bool:
    """Whether somebody does."""
    return _present is not _nobody


@contextmanager
def watched_by(one: Watcher) -> Iterator[None]:
    """Have every run of this process, in whatever thread, tell this watcher while the block runs."""
    global _present  # noqa: PLW0603  (threads of Prefect see no context of the thread that started the flow)
    before, _present = _present, one
    try:
        yield
    finally:
        _present = before
