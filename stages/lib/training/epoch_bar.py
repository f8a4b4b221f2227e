"""How far the present epoch is, as a bar on a terminal; into a file or a pipe nothing is drawn."""

from types import TracebackType

from rich.console import Console
from rich.progress import Progress


class EpochBar:
    """A bar for the epoch at work; a `with` block takes it away however the training ends."""

    def __init__(self, stage: str, epochs: int, steps: int) -> None:
        """Draw nothing yet.

        Args:
            stage: name of the stage, which stands before the bar.
            epochs: number of epochs of the training.
            steps: training steps of one epoch.
        """
        self._stage, self._epochs, self._steps = stage, epochs, steps
        self._console = Console(soft_wrap=True)

    def start(self, epoch: int) -> None:
        """Begin the bar of an epoch, counted from 0."""
        self._progress = Progress(console=self._console, transient=True, disable=not self._console.is_terminal)
        self._task = self._progress.add_task(f"{self._stage} epoch {epoch + 1}/{self._epochs}", total=self._steps)
        self._progress.start()

    def advance(self) -> None:
        """Move on by one step."""
        self._progress.advance(self._task)

    def stop(self) -> None:
        """Take the bar away, if there is one."""
        if hasattr(self, "_progress"):
            self._progress.stop()

    def __enter__(self) -> "EpochBar":
        """The bar itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the bar away."""
        self.stop()
