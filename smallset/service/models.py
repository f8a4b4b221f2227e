"""The bundle that a service answers with, and how another one takes its place."""

import hashlib
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from smallset.errors import UserError
from smallset.inference import bundle
from smallset.inference.classifier import Classifier

_VERSION_DIGITS = 12
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
    folder: "TemporaryDirectory[str]"


def load(directory: Path) -> Model:
    """Copy a bundle, load it, and prove it by its golden examples.

    Raises:
        UserError: it is damaged, incomplete, or reads or computes otherwise than where it was made.
    """
    folder: TemporaryDirectory[str] = TemporaryDirectory(prefix="smallset-serve-")
    try:
        place = Path(folder.name)
        for name in (bundle.DESCRIPTION, bundle.MODEL):
            if (directory / name).is_file():
                shutil.copyfile(directory / name, place / name)
        if (directory / bundle.GOLDEN).is_dir():
            shutil.copytree(directory / bundle.GOLDEN, place / bundle.GOLDEN)
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


def stamp(directory: Path) -> Stamp:
    """What changes when a bundle is written anew or another directory takes its place; nothing large is read."""
    found = []
    for name in (bundle.DESCRIPTION, bundle.MODEL, f"{bundle.GOLDEN}/{bundle.EXAMPLES}"):
        file = (directory / name).resolve()
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
        self.model, self.changed = load(directory), time.time()

    def renew(self) -> bool:
        """Take another bundle if there is one; one that does not prove itself is looked at again once it changes.

        Returns:
            Whether another model is in use now.

        Raises:
            UserError: there is another one, and it cannot take over; the present one stays.
        """
        directory = self._find()
        now = stamp(directory)
        if now == self._stamp:
            return False
        try:
            found = load(directory)
        except UserError:
            # Of a directory that is still being written, what comes later has another stamp.
            self._stamp = now
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
