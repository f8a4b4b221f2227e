"""Which stages a run is about: all of them, or those that somebody names with what they need."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from flows.planning.errors import UsageError
from flows.project.parameters import read_parameters

GRAPH = Path("dvc.yaml")
# Plain words for the models, and what a run of one is wanted for: the model and how good it is.
MODELS = {
    "head": "feature_extraction",
    "fine-tuning": "fine_tuned",
    "augmented-head": "feature_extraction_augmented",
    "convnet": "scratch",
    "augmented-convnet": "scratch_augmented",
}
_WORDS = {word: (model, f"evaluate@{model}") for word, model in MODELS.items()}


def plain(model: str) -> str:
    """The plain word for a model, such as `head`."""
    return next((word.replace("-", " ") for word, name in MODELS.items() if name == model), model)


def stage_names() -> list[str]:
    """Name the stages as dvc.yaml has them, `foreach` expanded, without the seconds that DVC takes to start."""
    return list(_names(read_parameters(GRAPH).get("stages", {})))


def _names(stages: Mapping[str, Any]) -> Iterator[str]:
    for name, body in stages.items():
        items = body.get("foreach")
        yield from [name] if items is None else [f"{name}@{item}" for item in items]


def wanted(texts: Sequence[str], names: Sequence[str]) -> list[str]:
    """The stages that somebody names.

    Args:
        texts: names of stages, of all items of a `foreach` stage together, or plain words; several with commas between.
        names: of all stages.

    Returns:
        Names of stages, in their order.

    Raises:
        UsageError: no such stage.

    Example:
        >>> wanted(["features,head"], ["features", "feature_extraction", "evaluate@feature_extraction", "report"])
        ['features', 'feature_extraction', 'evaluate@feature_extraction']
    """
    found: set[str] = set()
    for text in (part.strip() for part in ",".join(texts).split(",")):
        word = _WORDS.get(text.casefold().replace("_", "-").replace(" ", "-"), ())
        meant = [name for name in names if name == text or name in word or name.partition("@")[0] == text]
        if not meant:
            known = [*_WORDS, *dict.fromkeys(name.partition("@")[0] for name in names)]
            near = difflib.get_close_matches(text, known, 1)
            hint = f"; is {near[0]} meant?" if near else ""
            raise UsageError(f"--only: no stage {text!r}{hint} Expected {', '.join(known)}")
        found.update(meant)
    return [name for name in names if name in found]
