"""How much a download may bring, in what time, and how much of the disk it leaves free."""

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from stages.lib.core.data_sections import DownloadParams
from stages.lib.core.errors import UserError

LEFT_FREE = 200 << 20  # bytes of the disk that no download takes: whoever has to mend a full disk needs some
SLOWEST = 1 << 10  # bytes a second, over `WINDOW`
WINDOW = 60.0  # seconds
_EVERY = 16 << 20  # bytes after which the disk is looked at again


class TooLarge(UserError):
    """No further try makes it smaller, and nothing of it is of use."""


class Stalled(Exception):
    """Bytes come, but too few: another connection may be better."""


@dataclass(frozen=True)
class Limits:
    """What one download may take.

    Attributes:
        size: bytes of the whole file.
        seconds: of everything together.
    """

    size: int
    seconds: float


def limits_of(params: DownloadParams) -> Limits:
    """The limits that the section `download` of params.yaml sets."""
    return Limits(round(params.max_gigabytes * 1e9), params.max_hours * 3600)


class Watch:
    """What comes of one answer, checked as it comes: neither what a server declares nor what it sends is trusted."""

    def __init__(self, url: str, folder: Path, limits: Limits, start: int, declared: int | None) -> None:
        """Begin with the head of an answer.

        Args:
            url: the address, for errors.
            folder: that is written to.
            limits: what may come.
            start: bytes that are there already.
            declared: size of the whole file, if told.

        Raises:
            TooLarge: by what the server says. UserError: the disk is too small.
        """
        self._url, self._folder, self._limits = url, folder, limits
        self._looked_at, self._window = start, (time.monotonic(), start)
        if declared is not None:
            self._check_size(declared)
        self._check_disk((declared or start) - start)

    def check(self, size: int) -> None:
        """Check after a block.

        Args:
            size: of what is there now, in bytes.

        Raises:
            TooLarge: more has come. UserError: the disk is nearly full.
            Stalled: too little has come.
        """
        self._check_size(size)
        if size - self._looked_at >= _EVERY:
            self._looked_at = size
            self._check_disk(0)
        began, before = self._window
        passed = time.monotonic() - began
        if passed >= WINDOW:
            if size - before < SLOWEST * passed:
                raise Stalled(f"{size - before:,} bytes came in {passed:.0f} s")
            self._window = (time.monotonic(), size)

    def _check_size(self, size: int) -> None:
        if size > self._limits.size:
            raise TooLarge(
                f"{self._url}: expected at most {self._limits.size / 1e9:g} GB (download.max_gigabytes), "
                f"received {size / 1e9:.3g} GB"
            )

    def _check_disk(self, coming: int) -> None:
        free = shutil.disk_usage(self._folder).free
        if coming + LEFT_FREE > free:
            raise UserError(
                f"{self._url}: the disk of {self._folder.absolute()} has {free / 1e9:.3g} GB free, expected "
                f"{(coming + LEFT_FREE) / 1e9:.3g} GB: free some space and run again"
            )
