"""The whole output of each stage's last run, in a file for whoever wants to know more than the last lines."""

from collections.abc import Iterator
from pathlib import Path
from typing import IO
from urllib.parse import quote, unquote

LOGS = Path(".smallset") / "logs"
_MOST = 10_000_000  # bytes of a file; what was written before the last so many lies beside it
_EARLIER = ".earlier.log"
_NOTHING_DONE = "didn't change, skipping"


class StageLog:
    """Writes what a stage says; a stage that had nothing to do leaves the output of its last run."""

    def __init__(self, name: str) -> None:
        """Write nothing yet."""
        self._path, self._size = log_file(name), 0
        self._file: IO[str] | None = None

    def write(self, line: str) -> None:
        """Write a line."""
        if self._file is None:
            if line.endswith(_NOTHING_DONE):
                return
            self._path.parent.mkdir(parents=True, exist_ok=True)
            _earlier(self._path).unlink(missing_ok=True)
            self._file = self._path.open("w", encoding="utf-8", buffering=1)
        elif self._size > _MOST:
            self._file.close()
            self._path.replace(_earlier(self._path))
            self._file, self._size = self._path.open("w", encoding="utf-8", buffering=1), 0
        self._size += self._file.write(f"{line}\n")

    def close(self) -> None:
        """Write no more."""
        if self._file is not None and not self._file.closed:
            self._file.close()


def log_file(name: str) -> Path:
    """Where the output of a stage's last run lies."""
    return LOGS / f"{quote(name, safe='@')}.log"


def logged_stages(project: Path = Path()) -> list[str]:
    """The stages whose output is kept in a project, the last written last."""
    files = [file for file in (project / LOGS).glob("*.log") if not file.name.endswith(_EARLIER)]
    return [unquote(file.name.removesuffix(".log")) for file in sorted(files, key=lambda file: file.stat().st_mtime)]


def read_log(name: str) -> Iterator[str]:
    """The lines of a stage's last run, without their ends; none where nothing is kept."""
    for path in (_earlier(log_file(name)), log_file(name)):
        if path.is_file():
            with path.open(encoding="utf-8", errors="replace") as file:
                yield from (line.rstrip("\n") for line in file)


def _earlier(path: Path) -> Path:
    return path.with_name(path.name.removesuffix(".log") + _EARLIER)
