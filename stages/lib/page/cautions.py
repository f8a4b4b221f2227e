"""What to know before the recommended model is relied on, and what to do about it: one sentence each."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from safety.words import counted, listed
from stages.lib.comparison.comparisons import Comparison
from stages.lib.comparison.evaluations import Evaluation, Results
from stages.lib.comparison.wording import percent
from stages.lib.page.verdict import rounded

LEAST_VALIDATION = 50  # images
LEAST_TEST = 100  # images


def cautions(
    results: Results, more: Sequence[str] = (), parameters: Mapping[str, Any] | None = None, trained: int = 0
) -> list[str]:
    """What is doubtful about these results, the gravest first.

    Args:
        results: of all models.
        more: cautions from elsewhere, such as of the choice of the backbone.
        parameters: sections of params.yaml.
        trained: training images.

    Returns:
        Plain sentences; none where nothing is doubtful.
    """
    found = (_no_better_than_chance, _untested_classes, _few_images, _tied, _higher_on_test)
    last = _still_learning(results, parameters or {}, trained)
    return [*more, *(caution for each in found for caution in each(results)), *last]


def _share_of_chance(results: Results) -> float:
    """What always naming the largest class would reach."""
    counts = results.labels.value_counts()
    return float(counts.max() / counts.sum() if results.headline == "accuracy" else 1 / len(counts))


def no_better_than_chance(results: Results) -> bool:
    """Whether the recommended model is not shown to be better than always naming the largest class."""
    low = results.recommended.figures[f"{results.headline}_low"]
    return results.labels.nunique() > 1 and bool(low <= _share_of_chance(results))


def advised_against(results: Results) -> bool:
    """Whether the recommended model is not to be used: nothing shows that it does more than name one class."""
    return no_better_than_chance(results) or results.labels.nunique() == 1


def rank(results: Results) -> str:
    """What the page calls the recommended model among the others, in a word."""
    return "chosen" if advised_against(results) else "recommended"


def untested(results: Results) -> list[str]:
    """Classes without a test image."""
    tested = set(results.labels)
    return [name for name in results.recommended.classes if name not in tested]


def _no_better_than_chance(results: Results) -> Iterator[str]:
    if no_better_than_chance(results):
        share, counts = _share_of_chance(results), results.labels.value_counts()
        yield (
            f"{results.recommended.name} is not shown to be better than always saying {counts.idxmax()}: "
            f"{results.words} {_range(results)} beside {percent(share)}. Do not use it; look at the labels and at the "
            "images it gets wrong, and train on more images."
        )


def _untested_classes(results: Results) -> Iterator[str]:
    if missing := untested(results):
        only = results.labels.nunique() == 1
        advice = (
            f" Always saying {results.labels.iloc[0]} would be right on all of them: do not use it." if only else ""
        )
        yield (
            f"No test image is of {_some(missing)}: nothing is known about "
            f"{'them' if missing[1:] else 'it'}, and no figure counts {'them' if missing[1:] else 'it'}.{advice} Add "
            "images, or raise split.test."
        )


def _few_images(results: Results) -> Iterator[str]:
    chosen = _chosen_by_validation(results)
    if chosen and results.choice.images < LEAST_VALIDATION:
        yield (
            f"Only {counted(results.choice.images, 'validation image')} chose {listed(chosen)}: that is mostly chance "
            f"below {LEAST_VALIDATION}. Add images, or raise split.validation."
        )
    tested = len(results.labels)
    if tested < LEAST_TEST:
        yield (
            f"Only {counted(tested, 'test image')} measured it: {results.words} may be anything {_range(results)}. "
            f"Below {LEAST_TEST} little can be told; add images, or raise split.test."
        )


def _chosen_by_validation(results: Results) -> list[str]:
    """What the validation images decided: nothing of a head alone that has no epochs."""
    best = [one for one in results.evaluations if one.summary["epochs"] and _keeps_the_best(one)]
    model = ["the model"] if len(results.evaluations) > 1 else []
    return model + (["the epochs that are kept" if best[1:] else "the epoch that is kept"] if best else [])


def _keeps_the_best(one: Evaluation) -> bool:
    """Whether the epoch that is kept is the best one; another training keeps its last on principle."""
    return bool(one.summary.get("kept", "best") == "best")


def _tied(results: Results) -> Iterator[str]:
    pairs = results.comparisons
    if not pairs or any(pair.verdict != "no difference shown" for pair in pairs):
        return
    needed = [pair.needed for pair in pairs if pair.needed is not None and pair.needed > pair.images]
    least = rounded(min(needed), pairs[0].images) if needed else 0
    which = "the clearest difference" if pairs[1:] else "a difference of the size"
    would = f"; about {least:,} test images would show {which} that was found" if needed else ""
    yield (
        f"These test images show no difference between {'the two' if len(pairs) == 1 else 'any two'} models{would}. "
        f"That {results.recommended.name} is {rank(results)} rests on the validation images alone: test on more images "
        "to tell the models apart."
    )


def higher_on_test(results: Results, called: Callable[[str], str] = str) -> str:
    """Why the model with the highest figure on the test images is not the recommended one; empty where it is.

    Args:
        results: of all models.
        called: what a sentence calls a model of this name.
    """
    chosen, key = results.recommended, results.headline
    # Sums of thirds and sixths may differ by 1e-17 where the figures are the same.
    higher = [one for one in results.evaluations if one.figures[key] > chosen.figures[key] + 1e-12]
    if not higher:
        return ""
    first = max(higher, key=lambda one: float(one.figures[key]))
    beside = next(pair for pair in results.beside_others if pair.other == first.name)
    return (
        f"{called(first.name)} has the higher {results.words} on the test images ({percent(first.figures[key])} beside "
        f"{percent(chosen.figures[key])}{_shown(beside)}) and is not recommended: the validation images choose, "
        "since a choice by the test images would make its figure look better than it is. More validation images "
        "(split.validation) choose more surely."
    )


def _higher_on_test(results: Results) -> Iterator[str]:
    if said := higher_on_test(results):
        yield said


def _shown(beside: Comparison) -> str:
    return ", and is better" if beside.verdict == "worse" else ", which may be chance"


def twice_as_long(name: str, epochs: int, parameters: Mapping[str, Any], trained: int) -> dict[str, int]:
    """Keys of params.yaml, and their values, with which a training has twice the steps.

    Args:
        name: of the model.
        epochs: of its training.
        parameters: sections of params.yaml.
        trained: training images.
    """
    found, batch_size = {f"{name}.epochs": 2 * epochs}, (parameters.get("common") or {}).get("batch_size")
    least = (parameters.get(name) or {}).get("min_steps")
    # Then an epoch goes over the images several times, and with more epochs it would do so less often.
    if least and batch_size and least > epochs * -(-trained // batch_size):
        found[f"{name}.min_steps"] = 2 * least
    return found


def _still_learning(results: Results, parameters: Mapping[str, Any], trained: int) -> Iterator[str]:
    last = [
        one
        for one in results.evaluations
        if one.summary["best_epoch"] == one.summary["epochs"] and _keeps_the_best(one)
    ]
    if last:
        epochs = listed([f"{one.summary['epochs']} of {one.name}" for one in last])
        longer = [twice_as_long(one.name, one.summary["epochs"], parameters, trained) for one in last]
        keys = [key for found in longer for key in found]
        yield f"The best epoch is the last one ({epochs}): training longer may help. Raise {listed(keys)}."


def _range(results: Results) -> str:
    figures = results.recommended.figures
    low, high = (figures[f"{results.headline}_{end}"] for end in ("low", "high"))
    return f"from {100 * low:.1f} to {percent(high)}"


def _some(names: Sequence[str], most: int = 5) -> str:
    more = [counted(len(names) - most, "more class", "more classes")] if len(names) > most else []
    return ("class " if len(names) == 1 else "classes ") + listed([*names[:most], *more])
