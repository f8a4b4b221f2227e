"""What a look has found and what a run will do, as lines for people."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flows.planning import duration
from flows.planning.duration import Expected
from flows.planning.look import Look
from flows.planning.stages import MODELS, plain
from flows.planning.work import Work
from safety.words import counted

_MOST = 12  # classes told one by one
_ENOUGH = 100  # test images, with which an accuracy is known to about 6 points
FINE_TUNED = MODELS["fine-tuning"]
_HEAD_EVALUATED = f"evaluate@{MODELS['head']}"


def found(title: str, images: Mapping[str, Any], order: str) -> Iterator[str]:
    """Say what images there are.

    Args:
        title: what they are called.
        images: as `stages.look` writes it.
        order: `split.order`.
    """
    classes = images["classes"]
    count = counted(sum(classes.values()), "image")
    yield f"{title}: {count} of {counted(len(classes), 'class', 'classes')}, by {images['layout']}"
    yield f"  {_classes(classes)}"
    sizes = images["sizes"]
    of = "" if images["looked_at"] == images["files"] else f" (of {images['looked_at']:,} that were decoded)"
    yield (
        f"  pixels: shorter side {sizes['median']} in the middle, {sizes['smallest']} at least; longer side "
        f"{sizes['largest']} at most{of}"
    )
    yield f"  {'; '.join(_defects(images))}"
    if len(images["subsets"]) > 1:
        yield f"  {_subsets(images, order)}"
    if images["groups"]:
        alone = counted(images["ungrouped"], "image is in none", "images are in none")
        none = f"; {alone}" if images["ungrouped"] else ""
        yield f"  {counted(images['groups'], 'group')}, each of which stays in one subset{none}"
    yield from (f"  {line}" for line in images["remarks"])


def _classes(classes: Mapping[str, int]) -> str:
    if len(classes) <= _MOST:
        return ", ".join(f"{label} {count:,}" for label, count in classes.items())
    ordered = sorted(classes.items(), key=lambda pair: (pair[1], pair[0]))
    smallest = ", ".join(f"{label} {count:,}" for label, count in ordered[:3])
    largest = ", ".join(f"{label} {count:,}" for label, count in ordered[-3:])
    return f"the smallest {smallest}; the largest {largest}"


def _defects(images: Mapping[str, Any]) -> Iterator[str]:
    broken_count, looked = images["broken_count"], images["looked_at"]
    among = "" if looked == images["files"] else f" of {looked:,} tried"
    broken = "; ".join(f"{name}: {reason}" for name, reason in images["broken"][:2])
    yield f"{broken_count} cannot be read{among}{f' ({broken})' if broken_count else ''}"
    partly = "" if images["all_compared"] else ", not all compared"
    copies = counted(images["copies"], "exact copy", "exact copies")
    yield f"{copies}{partly} (near copies: `split` looks for them)"
    if images["contradicted"]:
        count = images["contradicted_count"]
        yield f"{count} are copies in different classes, left out: {_names(images, 'contradicted')}"
    if images["unlabelled_count"]:
        yield f"{images['unlabelled_count']} without a class stay out: {_names(images, 'unlabelled')}"
    if images["strays"]:
        yield f"set aside: {_names(images, 'strays')}"
    if images["aside"]:
        yield f"no images by their names: {images['aside']}"


def _names(images: Mapping[str, Any], kind: str) -> str:
    more = ", ..." if images[f"{kind}_count"] > len(images[kind]) else ""
    return ", ".join(name for name, _ in images[kind]) + more


def _subsets(images: Mapping[str, Any], order: str) -> str:
    given = ", ".join(f"{name} {count:,}" for name, count in images["subsets"].items())
    if order == "folders":
        divided = "" if "validation" in images["subsets"] else ", but for validation images out of those of train"
        return f"they come as {given}, and stay so{divided}"
    way = "; --set split.order=folders keeps that" if images["folders_fit"] else ""
    return f"they come as {given}, and are divided anew{way}"


def cautions(images: Mapping[str, Any], work: Work) -> Iterator[str]:
    """Say where images are too few for what is planned."""
    test, least = images["divided"]["test"], images["least"]
    if test < _ENOUGH:
        points = 100 * 1.96 * (0.9 * 0.1 / max(1, test)) ** 0.5
        yield (
            f"few images: with about {test} for the test an accuracy of 90 % is known to +-{points:.0f} points; "
            f"cross-validation over all {sum(images['divided'].values())} tells more"
        )
    if work.values.get(f"{FINE_TUNED}.enabled") and work.leaves_out(FINE_TUNED):
        few = counted(least["train"], "image")
        yield (
            f"fine-tuning will be left out: the smallest class has about {few} to train on, and it takes "
            f"{work.values['fine_tuned.min_images']} (fine_tuned.min_images)"
        )


def plan(found: Look, work: Work, stages: Sequence[str], expected: Expected) -> Iterator[str]:
    """Say what a run will do.

    Args:
        found: from the look.
        work: what the stages have to do.
        stages: that will run, in their order.
        expected: of these.
    """
    values = work.values
    if found.preset:
        own = values["common.image_size"] == "preset" and found.preset["size"] is None
        size = "the size that it was made for" if own else f"{work.side} x {work.side}"
        yield f"  backbone: {found.preset['name']}, images at {size}"
    if found.images:
        train, validation, test = (found.images["divided"][name] for name in ("train", "validation", "test"))
        yield f"  images: about {train:,} to train, {validation:,} to validate, {test:,} to test"
    names = {f"{name}.enabled" for name in MODELS.values()}
    enabled = [stage for stage in stages if f"{stage}.enabled" in names and values.get(f"{stage}.enabled")]
    models = [stage for stage in enabled if not work.leaves_out(stage)]
    if models:
        yield "  models: " + ", then ".join(f"{plain(model)} ({model})" for model in models)
    if not stages:
        yield "  nothing to do: everything is up to date"
        return
    basis = "as runs here took" if expected.known else "no run here has told yet how fast this machine is"
    first = ""
    if _HEAD_EVALUATED in stages and expected.stages[_HEAD_EVALUATED]:
        until = sum(expected.stages[name] for name in stages[: stages.index(_HEAD_EVALUATED) + 1])
        until_in_words = duration.about(until, expected.known)
        first = f", the first figures after {until_in_words}" if until < 0.8 * expected.seconds else ""
    yield f"  time: {duration.about(expected.seconds, expected.known)}{first} ({basis})"
