"""The first answer of a run: a report of what is there once a first model is measured, while the rest is at work.

It is no output of DVC's: the stage `report` writes over it at the end, from all models.
"""

import os
import re
import shlex
import shutil
import subprocess
import threading
from collections.abc import Callable, Collection, Sequence
from html import escape
from pathlib import Path, PurePosixPath

from flows.errors import FlowError
from flows.execution import warm
from flows.execution.process_output import Outcome, StageResult, done
from flows.execution.process_tree import end
from flows.faults import fault_of
from flows.project.graph import StageNode, with_upstream
from flows.project.records import SUMMARY
from flows.project.whole_file import write_whole
from flows.run.results import FIGURES, REPORT, RUN_REPORT, headline, read_figures, read_summary

FOLDER = Path(".smallset") / "first"
_POLL = 0.1  # seconds
_BODY = re.compile(r"<body[^>]*>")


class FirstPage:
    """Waits for the first model that this run measures, and then has the page made, beside what else is at work.

    Attributes:
        is_published: whether the page is there.
    """

    def __init__(self, stages: Sequence[StageNode], fresh: Collection[str], tell: Callable[[str], None]) -> None:
        """Take all stages, the names of those that are up to date, and what takes a line for the user."""
        self._stages = {stage.name: stage for stage in stages}
        self._done = set(fresh)
        self._tell = tell
        self.is_published = False
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        maker = next((stage for stage in stages if REPORT.as_posix() in stage.outputs), None)
        self._report = maker if maker and maker.name not in fresh else None

    def __enter__(self) -> "FirstPage":
        """Wait."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the page, if it is still at work: it is of no more use."""
        self._stop.set()
        if self._thread:
            self._thread.join()
        shutil.rmtree(FOLDER, ignore_errors=True)

    def after(self, take: Callable[[StageResult], None]) -> Callable[[StageResult], None]:
        """What takes the result of a stage, and this takes it after."""

        def both(result: StageResult) -> None:
            take(result)
            self.take(result)

        return both

    @property
    def has_begun(self) -> bool:
        """Whether the page is at work or done."""
        return self._thread is not None

    def take(self, result: StageResult) -> None:
        """Take what became of a stage, and begin once it is the first model and others are still to come."""
        self._done.update(done([result]))
        if self.has_begun or not self._report or not self._is_first(result):
            return
        self._thread = threading.Thread(target=self._make, args=(self._report, frozenset(self._done)))
        self._thread.start()

    def _is_first(self, result: StageResult) -> bool:
        if result.outcome not in (Outcome.RAN, Outcome.RESTORED):
            return False
        measured = any(map(read_figures, _figures(self._stages[result.name])))
        return measured and bool(self._to_come(self._done))

    def _to_come(self, known: Collection[str]) -> list[str]:
        """The stages that the report waits for."""
        assert self._report
        return [name for name in self._report.upstream if name not in known]

    def _make(self, report: StageNode, known: frozenset[str]) -> None:
        try:
            lay_out(FOLDER, list(self._stages.values()), known)
            reason = _run(report.command, FOLDER, self._stop)
            if self._stop.is_set():
                return
            if reason:
                self._tell(f"no first page: {reason}")
            else:
                _publish(FOLDER, self._to_come(known))
                self.is_published = True
                self._tell(f"first answer: {headline(read_summary(FOLDER / SUMMARY))}; the rest is on its way")
                self._tell(f"first page: {RUN_REPORT.resolve()}")
        except (OSError, FlowError) as error:
            self._tell(f"no first page: {fault_of(error) or error}")


def before_first_model(stages: Sequence[StageNode], idle: Collection[str] = ()) -> frozenset[str]:
    """Name the first stage that measures a model, in their order, and all that it depends on; none where none does.

    Args:
        idle: names of stages that have nothing to do: of these none measures.
    """
    upstream = {stage.name: stage.upstream for stage in stages}
    first = next(([stage.name] for stage in stages if _figures(stage) and stage.name not in idle), [])
    return frozenset(with_upstream(first, upstream))


def _figures(stage: StageNode) -> list[Path]:
    return [Path(path) for path in stage.outputs if PurePosixPath(path).match(FIGURES)]


def lay_out(folder: Path, stages: Sequence[StageNode], known: Collection[str]) -> None:
    """Make a folder that looks like the project, with the outputs of some stages only, by links.

    Args:
        folder: is made anew.
        stages: all.
        known: names of those whose outputs are there.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    outputs = {path: stage.name for stage in stages for path in stage.outputs}
    tops = {PurePosixPath(path).parts[0] for path in outputs}
    for entry in Path().iterdir():
        if entry.name not in tops and not entry.name.startswith("."):
            (folder / entry.name).symlink_to(entry.resolve())
    for path, maker in outputs.items():
        if maker in known and Path(path).exists():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).symlink_to(Path(path).absolute())


def _run(command: str, folder: Path, stop: threading.Event) -> str:
    """Run a stage's command in a folder; gives the reason where it fails."""
    with (folder / "errors.txt").open("w+b") as errors:
        process = subprocess.Popen(
            shlex.split(command),
            cwd=folder,
            env=warm.environment_of(os.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
        )
        try:
            while process.poll() is None and not stop.wait(_POLL):
                pass
        finally:
            if process.poll() is None:
                end(process)
        errors.seek(0)
        said = errors.read().decode("utf-8", "replace").split("\n")
    return next((line for line in reversed(said) if line.strip()), "it failed") if process.returncode else ""


def _publish(folder: Path, to_come: Sequence[str]) -> None:
    page = (folder / REPORT).read_text(encoding="utf-8")
    notice = (
        '<p role="status" style="margin: 0; padding: 0.8rem; background: #7a4b00; color: #ffffff">A first page: '
        f"the run was still at work on {escape(', '.join(to_come))} when it was written. What they bring is not in it, "
        "and may change which model is recommended. The end of the run renews the page; one that was stopped goes on "
        "with <code>smallset run</code>.</p>"
    )
    write_whole(RUN_REPORT, _BODY.sub(lambda tag: tag[0] + notice, page, count=1))
