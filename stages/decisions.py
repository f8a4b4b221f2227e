"""When the recommended model does not know: limits chosen on validation images, measured on test and foreign images."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safety.words import counted
from stages.lib.comparison.evaluations import Evaluation, read_results
from stages.lib.core import entry
from stages.lib.core.decision_sections import DecisionsParams
from stages.lib.core.outputs import atomic_directory, disable, write_csv, write_json
from stages.lib.core.params import CommonParams
from stages.lib.networks.startup import start_tensorflow


@dataclass(frozen=True)
class DecisionsPaths:
    """What is decided on, and where it goes.

    Attributes:
        dataset: `<subset>/<class>/<file>`.
        manifest: table of its images.
        features: directory of the stage `features`.
        models: a directory per model.
        evaluations: a directory per model, from the stage `evaluate`.
        output: written: decisions.json (`smallset.inference.decisions`), distance.npz (`deciding.distances`) where the
            model has pooled features, figures.json and answers.csv (`deciding.measured`).
    """

    dataset: Path
    manifest: Path
    features: Path
    models: Path
    evaluations: Path
    output: Path


def decisions(paths: DecisionsPaths, common: CommonParams, params: DecisionsParams) -> None:
    """Choose temperature, rule and limits of the recommended model on validation images, and measure them.

    No test image has a part in a choice, and no image of something else.

    Args:
        paths: what is read and written.
        common: section `common` of params.yaml.
        params: section `decisions` of params.yaml.

    Raises:
        UserError: the section names a class that there is not.
    """
    if not params.enabled:
        disable(paths.output, "decisions")
        return
    model = read_results(paths.models, paths.evaluations).recommended
    start_tensorflow(common.deterministic)
    from stages.lib.deciding import choosing, chosen, distances, foreign, measured, vectors
    from stages.lib.inference.predictions import probabilities_of

    seen = vectors.Seen(paths.models / model.name, paths.dataset, paths.manifest, _cached(model, paths))
    seen.expect("validation", list(model.validation["path"]))
    seen.expect("test", list(model.predictions["path"]))
    distance = None if seen.train is None else distances.fitted(seen.train, common.seed)
    far = None if distance is None or seen.validation is None else distance.of(seen.validation)
    validated = choosing.Validated(
        model.classes, seen.labels("validation"), probabilities_of(model.validation), far, model.is_linear
    )
    found = choosing.chosen(validated, params, common.seed)
    tested = probabilities_of(model.predictions)
    tested_far = None if distance is None or seen.test is None else distance.of(seen.test)
    figures = measured.figures(
        *(found, seen.labels("test"), tested, tested_far),
        {} if distance is None else foreign.judged(seen, distance, common.seed),
    )
    with atomic_directory(paths.output) as partial:
        write_json({"model": model.name} | found.as_dict(), partial / chosen.CHOSEN)
        write_json(
            {"model": model.name, "validation_images": len(validated.labels)} | figures, partial / chosen.FIGURES
        )
        answers = measured.answers(found, model.predictions, model.classes, tested, tested_far)
        write_csv(answers, partial / chosen.ANSWERS, float_format="%.7g")
        if distance is not None:
            distances.write(distance, partial / chosen.DISTANCE)
    told = ", ".join(f"{key} {share:.3f}" for key, share in _shares(figures).items())
    print(f"decisions: of {counted(figures['images'], 'test image')} {told}")
    for reason in found.reasons:
        print(f"decisions: {reason}")


def _shares(figures: dict[str, Any]) -> dict[str, float]:
    return {"sure": figures["sure"]["share"], "unsure": figures["unsure"], "unknown": figures["unknown"]}


def _cached(model: Evaluation, paths: DecisionsPaths) -> Path | None:
    """The features on which this model's head was fitted, where they lie there."""
    return paths.features if model.name == "feature_extraction" else None


if __name__ == "__main__":
    entry.run(decisions)
