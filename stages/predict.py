"""A trained model on new images, run by Keras: `smallset predict` of a model that has no bundle.

A command, no stage of the graph. All but the network itself is what a bundle goes through (`smallset.cli`).
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from smallset.cli import commands, models
from smallset.cli.ends import code_of
from smallset.decoding.reading import read
from smallset.inference import bundle
from smallset.inference.classifier import Classifier
from smallset.inference.results import Predictions
from smallset.outputs import all_classes
from stages.lib.core.errors import UserError
from stages.lib.networks.startup import start_tensorflow

MODELS = Path("models")
RECOMMENDED = "classifier"
_BATCH = 16  # images of a pass, as many as a `Classifier` has in memory


class KerasClassifier(Classifier):
    """A classifier whose `model.keras` computes, for models that are no bundle."""

    def __init__(self, directory: Path) -> None:
        """Load the model of a directory, as every stage that trains one leaves it.

        Raises:
            UserError: there is none.
        """
        file = directory / models.KERAS
        if not file.is_file():
            raise UserError(
                f"--model: expected the directory of a trained model: {models.trained(MODELS)}. Received: {directory}"
            )
        start_tensorflow()
        from stages.lib.bundle.described import of_model
        from stages.lib.inference.forward import compiled
        from stages.lib.networks.saved_model import load

        network, classes = load(file)
        about = json.loads((directory / "summary.json").read_text(encoding="utf-8"))
        self.directory = directory
        self.description = of_model(network, classes, file, about)
        if models.is_bundle(directory):
            # Keras gives no distance, so it calls nothing unknown.
            self.description = _without_distance(bundle.read(directory))
        self._run = compiled(network, _BATCH)

    def judged(self, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """As `Classifier.judged`, without a distance, of pixels rounded to whole numbers."""
        whole = np.rint(pixels).astype(np.uint8)
        parts = [self._run(whole[start : start + _BATCH]) for start in range(0, len(pixels), _BATCH)]
        outputs = np.concatenate(parts).astype(np.float64)
        return self._checked(all_classes(outputs), len(pixels)), None


def _without_distance(about: bundle.Description) -> bundle.Description:
    known = about.decisions
    return replace(about, gives_distance=False, decisions=known and replace(known, unknown_above=None))


def predict(paths: Sequence[Path], model: str = RECOMMENDED) -> tuple[pd.DataFrame, dict[int, str]]:
    """Classify images with one of the trained models of the project in the working directory.

    Args:
        paths: of files.
        model: name of the model.

    Returns:
        A row per image: path, predicted, and `p_<class>`; and, by the place of each broken file among the paths, why
        it was left out.

    Raises:
        UserError: no such model.

    Example:
        >>> table, broken = predict([Path("data/dataset/test/cat/0.png")], "scratch")
        >>> list(table.columns)
        ['path', 'predicted', 'p_cat', 'p_dog']
    """
    classifier, broken = KerasClassifier(MODELS / model), dict[int, str]()
    about = classifier.description
    pixels = read(map(str, paths), about.image_size, about.color, about.resizing, len(paths))
    return pd.DataFrame(Predictions(classifier.classified(pixels, broken)).table()), broken


def main() -> None:
    """Do what `smallset predict` does, with the model in the directory `--model`."""
    options = commands.parse(["predict", *sys.argv[1:]])
    directory = Path(options.model or MODELS / RECOMMENDED)
    sys.exit(code_of(lambda: commands.carry_out(options, lambda: KerasClassifier(directory))))


if __name__ == "__main__":
    main()
