"""The errors gallery: a card per test image that a model got wrong."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stages.lib.comparison.evaluations import Evaluation, Results
from stages.lib.page.thumbnails import embedded_all

SIDE = 256  # pixels: they can be enlarged


@dataclass(frozen=True)
class Answer:
    """What a model took an image for.

    Attributes:
        confidence: probability of the predicted class.
    """

    model: str
    predicted: str
    confidence: float


@dataclass(frozen=True)
class Card:
    """A test image with every wrong answer, the surest first.

    Attributes:
        address: the image itself.
    """

    path: str
    label: str
    answers: list[Answer]
    address: str


@dataclass(frozen=True)
class Gallery:
    """What is shown of the errors.

    Attributes:
        wrong: images that at least one model got wrong.
        models: those with an answer.
    """

    cards: list[Card]
    wrong: int
    models: list[str]

    @property
    def labels(self) -> list[str]:
        """True classes of the cards."""
        return sorted({card.label for card in self.cards})

    @property
    def predicted(self) -> list[str]:
        """Classes that an image on a card was taken for."""
        return sorted({answer.predicted for card in self.cards for answer in card.answers})


def gallery(results: Results, dataset: Path, worst: int) -> Gallery:
    """The most confidently wrong images of each model, each image once: first what most models got wrong.

    Args:
        results: of all models.
        dataset: what the paths of images start from.
        worst: images of each model, at the most.
    """
    paths = results.recommended.predictions["path"].to_numpy()
    labels = results.labels.to_numpy()
    answers: dict[int, list[Answer]] = {}
    shown: set[int] = set()
    for one in results.evaluations:
        confidence, predicted = one.confidence, one.predictions["predicted"].to_numpy()
        mistakes = _surest_mistakes(one)
        for index in mistakes:
            answers.setdefault(index, []).append(Answer(one.name, predicted[index], float(confidence[index])))
        shown.update(mistakes[:worst])
    for found in answers.values():
        found.sort(key=lambda answer: (-answer.confidence, answer.model))
    indices = sorted(shown, key=lambda index: (-len(answers[index]), -answers[index][0].confidence, paths[index]))
    addresses = embedded_all((dataset / paths[index] for index in indices), SIDE)
    cards = [
        Card(paths[index], labels[index], answers[index], address)
        for index, address in zip(indices, addresses, strict=True)
    ]
    models = [one.name for one in results.evaluations if not one.right.all()]
    return Gallery(cards, len(answers), models)


def _surest_mistakes(one: Evaluation) -> list[int]:
    indices = np.flatnonzero(~one.right)
    paths = one.predictions["path"].to_numpy(str)
    return indices[np.lexsort((paths[indices], -one.confidence[indices]))].tolist()
