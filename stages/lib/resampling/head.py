"""The procedure that is cross-validated: the head of `feature_extraction`, as it would be trained on these images."""

from dataclasses import dataclass

import numpy as np

from stages.lib.arrays.rows import Picked
from stages.lib.heads import logistic
from stages.lib.heads.logistic import Choice
from stages.lib.heads.training_images import Training
from stages.lib.resampling.repeated import Predict

# Images times components times outputs times repeats, up to which every head chooses for itself: about 20 seconds.
_CHEAP = 2_000_000


@dataclass(frozen=True)
class LinearHeads:
    """Linear heads on some images, each with its scaling and strength chosen inside the images that it is trained on.

    Where there are features of mirrored images, they learn from both.

    Attributes:
        vectors: float32 (images, channels).
        mirrored: the same of the mirrored images, or None.
        labels: int64 (images,), 0 to classes - 1.
        groups: int64 (images,), equal for copies.
        classes: their number.
        seed: of the choice of the strength.
        averaged: whether they predict from the mean of an image and its mirror, where they learn from both.
        balanced: whether every class counts the same in training.
    """

    vectors: Picked
    mirrored: Picked | None
    labels: np.ndarray
    groups: np.ndarray
    classes: int
    seed: int
    averaged: bool = True
    balanced: bool = False

    def is_costly(self, repeats: int) -> bool:
        """Whether it would take long if each of so many cross-validations chose for every head anew."""
        images, channels = self.vectors.shape
        outputs = 1 if self.classes == 2 else self.classes
        return repeats * images * min(2 * images, channels) * outputs > _CHEAP

    def predict(self, trained: np.ndarray, asked: np.ndarray) -> np.ndarray:
        """Train on some images, and predict the labels of others: int64 (asked,)."""
        return self._predict(trained, asked, logistic.search(self._training(trained), self.seed).choice)

    def chosen_on(self, images: np.ndarray) -> Predict:
        """The same, with scaling and strength chosen once, on these images.

        Args:
            images: their numbers; what is predicted with it must not be among them, nor copies of them.
        """
        choice = logistic.search(self._training(images), self.seed).choice
        return lambda trained, asked: self._predict(trained, asked, choice)

    def _training(self, picked: np.ndarray) -> Training:
        own, mirrored = self.labels[picked], None if self.mirrored is None else self.mirrored[picked]
        weights = 1 / np.bincount(own, minlength=self.classes)[own] if self.balanced else None
        groups = self.groups[picked]
        return Training(self.vectors[picked], own, groups, self.classes, mirrored, self.averaged, weights)

    def _predict(self, trained: np.ndarray, asked: np.ndarray, choice: Choice) -> np.ndarray:
        head = logistic.fitted(self._training(trained), choice, self.seed)
        unknown = self.vectors[asked]
        if self.mirrored is not None and self.averaged:
            unknown = (unknown + self.mirrored[asked]) / 2
        return head.probabilities(unknown).argmax(axis=1)
