"""What DVC and the stage write, as lines, as an outcome and as the reason of a failure."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from safety.text import shown

LineTaker = Callable[[str], None]
TEMPORARY_FAILURE = 75  # EX_TEMPFAIL of sysexits.h: a stage's word that another try may succeed
# As DVC says it, and as the shell does that it starts.
_KILLED = re.compile(r"exited with (-9|137)$")
_LONGEST = 1 << 20  # bytes of a line
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
# What DVC says after every stage, to somebody at a terminal.
_HINTS = re.compile(
    r"(Generating lock file|Updating lock file|To track the changes with git|\tgit add |To enable auto staging"
    r"|\tdvc config core\.autostage|Use `dvc push` to send)"
)


class Outcome(StrEnum):
    """What became of a stage."""

    RAN = "ran"
    RESTORED = "restored"
    UP_TO_DATE = "up to date"
    FAILED = "failed"
    STOPPED = "stopped"
    NOT_RUN = "not run"


@dataclass(frozen=True)
class StageResult:
    """What became of a stage, in how long, and why if it failed.

    Attributes:
        may_pass_later: whether the failure is neither a user's mistake nor DVC's refusal.
    """

    name: str
    outcome: Outcome
    seconds: float = 0.0
    reason: str = ""
    may_pass_later: bool = False


def done(results: Iterable[StageResult]) -> frozenset[str]:
    """Name the stages whose outputs are those of now: they ran, were restored, or were up to date."""
    good = (Outcome.RAN, Outcome.RESTORED, Outcome.UP_TO_DATE)
    return frozenset(result.name for result in results if result.outcome in good)


class Report:
    """Collects what one process writes; lines go on at once."""

    def __init__(self, name: str, take_line: LineTaker) -> None:
        """Start with nothing written by the stage `name`."""
        self._take_line = take_line
        self._rest = b""
        self._outcome: Outcome | None = None
        self._markers = _markers(name)
        self._name = name
        self._said = self._raised = self._refused = ""
        self._in_traceback = False

    @staticmethod
    def begins(name: str, raw: bytes) -> bool:
        """Whether DVC says in a line that it has come to a stage."""
        return next(_frames(raw.strip(b"\n")), "") in _markers(name)

    def take(self, content: bytes) -> None:
        """Take the next bytes, which may end anywhere."""
        *lines, rest = (self._rest + content).split(b"\n")
        # Of a bar that draws over itself for hours without a newline the last frames matter.
        self._rest = rest[-_LONGEST:]
        self._take(lines)

    def flush(self) -> None:
        """Take a last line that no newline ends."""
        self._take([self._rest])
        self._rest = b""

    def _take(self, raw: Sequence[bytes]) -> None:
        lines = [line for one in raw if (line := next(_frames(one), "")) and not _HINTS.match(line)]
        for line in lines:
            # Only the first: what follows comes from the stage, which may say anything.
            self._outcome = self._outcome or self._markers.get(line)
        # All at once: in a burst the look for secrets would take longer than the stage.
        for line in shown("\n".join(lines).expandtabs()).split("\n") if lines else ():
            self._look_for_reason(line)
            self._take_line(line)

    def _look_for_reason(self, line: str) -> None:
        if line.startswith("error: "):
            self._said = line.removeprefix("error: ")
        elif line.startswith("ERROR: "):
            self._refused = line.removeprefix("ERROR: ").removeprefix(f"failed to reproduce '{self._name}': ")
        elif line.startswith("Traceback (most recent call last)"):
            self._in_traceback = True
        elif self._in_traceback and not line.startswith((" ", "\t")):
            self._in_traceback, self._raised = False, line

    def result(self, returncode: int, seconds: float, stopped: bool) -> StageResult:
        """Say what became of the stage, once its process has ended."""
        if stopped:
            return StageResult(self._name, Outcome.STOPPED, seconds, "stopped")
        if returncode == 0:
            # DVC only verifies a frozen stage, and says none of the three.
            return StageResult(self._name, self._outcome or Outcome.UP_TO_DATE, seconds)
        killed = _KILLED.search(self._refused)
        refused = "killed (SIGKILL), as a system does that runs out of memory" if killed else self._refused
        reason = self._said or self._raised or refused or f"dvc ended with {returncode}"
        # Whoever shows it names the stage.
        reason = reason.removeprefix(f"{self._name}: ")
        temporary = self._refused.endswith(f"exited with {TEMPORARY_FAILURE}")
        may_pass_later = self._outcome is Outcome.RAN and (temporary or not self._said)
        return StageResult(self._name, Outcome.FAILED, seconds, reason, may_pass_later)


def _markers(name: str) -> dict[str, Outcome]:
    """What DVC says as it comes to a stage, and what that means."""
    return {
        f"Running stage '{name}':": Outcome.RAN,
        f"Stage '{name}' is cached - skipping run, checking out outputs": Outcome.RESTORED,
        f"Stage '{name}' didn't change, skipping": Outcome.UP_TO_DATE,
    }


def _frames(raw: bytes) -> Iterator[str]:
    """The frames of one line, the last one first: progress bars draw over themselves even into a pipe."""
    for frame in reversed(raw.decode("utf-8", "replace").split("\r")):
        if text := _ESCAPES.sub("", frame).replace("\b", "").rstrip():
            yield text
