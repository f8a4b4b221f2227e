"""The bundle that a service answers with, and how another one takes its place."""

import hashlib
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from smallset.errors import UserError
from smallset.inference import bundle
from smallset.inference.classifier import Classifier
from smallset.inference.quiet import quiet

_VERSION_DIGITS = 12
_MOST_EXAMPLES = 100  # files of golden examples; the pipeline makes thirteen
_AGAIN = 30.0  # seconds until a bundle that was refused is tried again as it is: a full disk, say, is no fault of it
Stamp = tuple[tuple[str, int, int, int], ...]


@dataclass(frozen=True)
class Model:
    """A bundle that is loaded and has proved itself.

    Attributes:
        classifier: predicts; its files are a copy of the bundle's, so that nobody can change what is in use.
        version: of the bundle, from the checksums of its description and model.
        name: of the pipeline's model, such as fine_tuned.
        difference: the largest of the golden examples' probabilities.
        folder: holds the copy for as long as the model is used.
    """

    classifier: Classifier
    version: str
    name: str
    difference: float
    folder: "tempfile.TemporaryDirectory[str]"


def load(directory: Path) -> Model:
    """Copy a bundle, load it, and prove it by its golden examples.

    Raises:
        UserError: it is damaged, incomplete, or reads or computes otherwise than where it was made.
    """
    folder = tempfile.TemporaryDirectory(prefix="smallset-serve-")
    try:
        place = Path(folder.name)
        (place / bundle.GOLDEN).mkdir()
        for file in _files(directory):
            if file.is_file():  # no pipe and no device, which may have no end
                shutil.copyfile(file, place / file.relative_to(directory))
        classifier = Classifier(place)
        classifier.prepare()
        difference = classifier.verify()
        about = classifier.description
        digest = hashlib.sha256((place / bundle.DESCRIPTION).read_bytes() + (about.model_sha256 or "").encode())
        return Model(classifier, digest.hexdigest()[:_VERSION_DIGITS], about.model, difference, folder)
    except (OSError, UserError) as error:
        folder.cleanup()
        told = str(error).replace(folder.name, str(directory))
        raise UserError(told if isinstance(error, UserError) else f"{directory}: {told}") from None


def _files(directory: Path) -> list[Path]:
    """What a service needs of a bundle, there or not."""
    golden = sorted((directory / bundle.GOLDEN).glob("*"))[:_MOST_EXAMPLES]
    return [directory / bundle.DESCRIPTION, directory / bundle.MODEL, *golden]


def stamp(directory: Path) -> Stamp:
    """What changes when a bundle is written anew or another directory takes its place; nothing large is read."""
    found = []
    for one in _files(directory):
        file = one.resolve()
        try:
            about = file.stat()
        except OSError:
            found.append((str(file), 0, 0, 0))
        else:
            found.append((str(file), about.st_ino, about.st_size, about.st_mtime_ns))
    return tuple(found)


class Current:
    """The model in use; a request takes it once and keeps it to its end, whatever takes its place meanwhile.

    Attributes:
        model: in use.
        changed: when it was loaded, in seconds of the clock.
    """

    def __init__(self, find: Callable[[], Path]) -> None:
        """Load the first one.

        Args:
            find: gives the directory of the bundle that is to be used now.

        Raises:
            UserError: there is none, or it is damaged.
        """
        self._find = find
        directory = find()
        self._stamp = stamp(directory)
        self._refused, self._refused_until = self._stamp, 0.0
        with quiet():  # LiteRT greets once; what comes later would take lines of the log with it
            self.model, self.changed = load(directory), time.time()

    def renew(self) -> bool:
        """Take another bundle if there is one; one that does not prove itself is tried again once it changes, or later.

        Returns:
            Whether another model is in use now.

        Raises:
            UserError: there is another one, and it cannot take over; the present one stays.
        """
        directory = self._find()
        now = stamp(directory)
        if now == self._stamp or (now == self._refused and time.monotonic() < self._refused_until):
            return False
        try:
            found = load(directory)
        except UserError:
            # Of a directory that is still being written, what comes later has another stamp.
            self._refused, self._refused_until = now, time.monotonic() + _AGAIN
            raise
        if stamp(directory) != now:
            found.folder.cleanup()
            return False  # it changed meanwhile: the next look takes it
        self._stamp = now
        if found.version == self.model.version:
            found.folder.cleanup()
            return False
        self.model, self.changed = found, time.time()
        return True
