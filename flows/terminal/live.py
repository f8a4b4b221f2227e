"""A run as one live display at a terminal: stages that have ended above, those at work below."""

import sys
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from flows.execution.process_output import Outcome, StageResult
from flows.execution.watching import Watcher
from flows.terminal.fitting import fitted
from flows.terminal.plain import DVC, ended_as
from flows.terminal.state import Running, RunState
from flows.terminal.words import about, duration, words_of
from safety.text import shown, visible

_STYLES = {Outcome.FAILED: "bold red", Outcome.RAN: "green", Outcome.RESTORED: "green"}
_EVERY = 0.25  # seconds between two drawings
_BAR = 24  # columns, at most
_LEAST = 8  # columns of a text that has something beside it
_WORDS = 3  # last lines of a stage
_HINT = "Ctrl-C stops, what is done is kept"


class LiveWatcher(Watcher):
    """Draws the display for as long as its `with` block runs."""

    def __init__(self, state: RunState | None = None) -> None:
        """Draw nothing yet; then on stderr: stdout is for the results.

        Args:
            state: of the run, before it is planned.
        """
        self._console = Console(file=sys.stderr, highlight=False)
        self._mark = "…" if "utf" in self._console.encoding.lower() else "..."
        self._lock = threading.RLock()
        self._state = state or RunState()
        # What one thread prints while another one draws is erased by it, unless they take turns.
        self._drawing = threading.RLock()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._keep_drawing, name="live display", daemon=True)
        self._live = Live(
            console=self._console,
            get_renderable=self._drawn,
            auto_refresh=False,
            transient=True,
            # What goes into a file stays out of the display.
            redirect_stdout=sys.stdout.isatty(),
        )

    def __enter__(self) -> "LiveWatcher":
        """Begin to draw."""
        self._live.start()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the display away; what has ended stays to be read."""
        self._end.set()
        self._thread.join()
        self._live.stop()

    def planned(self, names: Sequence[str], fresh: Collection[str], seconds: Mapping[str, float]) -> None:
        """Say how many stages there are to do."""
        with self._lock:
            self._state.plan(names, fresh, seconds)
        if fresh:
            self._print(Text(f"{len(fresh)} of {len(names)} stages are up to date", style="dim"))

    def started(self, name: str) -> None:
        """Show a stage among those at work."""
        with self._lock:
            self._state.start(name)

    def said(self, name: str, line: str) -> None:
        """Show the line among the last ones of its stage."""
        if not line.startswith(DVC):
            with self._lock:
                self._state.say(name, line)

    def ended(self, result: StageResult) -> None:
        """Leave a line that says what became of a stage that had something to do."""
        with self._lock:
            if self._state.is_told(result):
                return
            place = f"{self._state.place_of(result.name)}/{self._state.to_do}"
            self._state.end(result.name)
        if result.outcome is Outcome.STOPPED:
            return
        text = ended_as(result)
        if result.outcome is Outcome.FAILED:
            # Not shortened: what it says is what somebody needs.
            self._print(Text(self._encodable(f"{place} {visible(result.name)} {text}"), style="bold red"))
        else:
            words = f"{place}  {visible(result.name)}  {words_of(result.name)}".rstrip()
            self._print(self._beside(words, text, "", _STYLES.get(result.outcome, "dim")))

    def noted(self, text: str) -> None:
        """Leave a word of the run above the display."""
        self._print(Text(self._encodable(shown(text))))

    def stopping(self) -> None:
        """Say that stages are being ended."""
        with self._lock:
            self._state.is_stopping = True

    def _keep_drawing(self) -> None:
        while not self._end.wait(_EVERY):
            with self._drawing:
                self._live.refresh()

    def _print(self, text: RenderableType) -> None:
        with self._drawing:
            self._console.print(text)
            self._live.refresh()

    def _drawn(self) -> RenderableType:
        with self._lock:
            return Group(*self._lines())

    def _lines(self) -> Iterable[RenderableType]:
        """At most as many lines as the terminal has, less one for the cursor."""
        room = self._console.height - 2
        running = list(self._state.running.values())[: max(1, room)]
        for stage in running:
            yield from self._stage(stage, room // len(running))
        yield self._last_line()

    def _stage(self, stage: Running, room: int) -> Iterable[RenderableType]:
        """In at most so many lines, of which there is one in any case: what, how far, and its last words."""
        words = f"{visible(stage.name)}  {words_of(stage.name)}".rstrip()
        took = duration(self._state.clock() - stage.since)
        yield self._beside(f"stage {stage.place} of {self._state.to_do}  {words}", took, "bold", "")
        left = self._state.left_of(stage)
        time = f"{about(left)} left" if left else ""
        has_second = bool(stage.progress or time)
        if room > 1 and has_second:
            yield self._bar(stage, time) if stage.progress else self._beside("", time, "", "")
        said = list(stage.lines)[-_WORDS:]
        for line in said[max(0, len(said) - (room - 1 - has_second)) :]:
            yield self._line(f"  {line}", "dim")

    def _bar(self, stage: Running, time: str) -> RenderableType:
        assert stage.progress
        columns = min(_BAR, max(4, self._console.width // 4))
        row = Table.grid(padding=(0, 1))
        bar = ProgressBar(total=stage.progress.total, completed=stage.progress.done, width=columns)
        rest = self._console.width - columns - 4
        row.add_row(Text(" "), bar, self._beside(stage.progress.title, time, "", "", rest))
        return row

    def _last_line(self) -> RenderableType:
        if self._state.is_stopping:
            return self._line("stopping: stages are ended first, which takes some seconds", "yellow")
        if not self._state.names:
            took = self._state.clock() - self._state.since
            return self._line(f"starting, {duration(took)}", "dim")
        left = self._state.left()
        parts = [f"{len(self._state.ended)} of {self._state.to_do} stages done"]
        parts += [f"{duration(self._state.clock() - self._state.since)} so far"]
        parts += [f"{about(left)} left"] if left else []
        text = ", ".join(parts)
        # Beside it there is room for the ^C that a terminal writes, which else would begin a line.
        columns = self._console.width - 3
        hint = _HINT if len(text) + len(_HINT) + 2 <= columns else ""
        return self._beside(text, hint, "", "dim", columns)

    def _beside(self, text: str, right: str, style: str, right_style: str, columns: int = 0) -> Text:
        """A text, shortened as it must be, and at the right edge another one; in a few columns the first alone."""
        columns = columns or self._console.width - 1
        text, right = self._encodable(text), self._encodable(right)
        room = columns - len(right) - 2
        if not right or room < min(len(text), _LEAST):
            return self._cut(text, columns, style)
        found = Text(no_wrap=True, overflow="crop").append(self._cut(text, room, style))
        found.append(" " * (columns - found.cell_len - len(right)))
        found.append(right, right_style)
        return found

    def _line(self, text: str, style: str) -> Text:
        return self._cut(self._encodable(text), self._console.width - 1, style)

    def _cut(self, text: str, columns: int, style: str) -> Text:
        return Text(fitted(text, columns, self._mark), style, no_wrap=True, overflow="crop")

    def _encodable(self, text: str) -> str:
        """Text that the terminal can write; what it cannot is an escape, which counts as many columns as it takes."""
        encoding = self._console.encoding
        return text.encode(encoding, "backslashreplace").decode(encoding)
