"""The recommended model under a name that never changes, fitted again on more images where it can be, as a bundle."""

import functools
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages.lib.core import entry
from stages.lib.core.model_sections import ClassifierParams, FeatureExtractionParams, Refit
from stages.lib.core.outputs import atomic_directory, remove, write_json
from stages.lib.core.params import CommonParams
from stages.lib.networks.startup import start_tensorflow

MEASURED = "measured"


@dataclass(frozen=True)
class ClassifierPaths:
    """What the classifier is made of, and where it goes.

    Attributes:
        summary: json of the report, which names the recommended model.
        models: a directory per model.
        features: directory of the stage `features`.
        manifest: table of the images, from the stage `split`.
        duplicates: table of copies, from the stage `split`.
        preset: directory of the stage `backbone`.
        evaluations: a directory per model, from the stage `evaluate`.
        decisions: directory of the stage `decisions`.
        output: written: the directory of the classifier, with all that `smallset.load` needs.
    """

    summary: Path
    models: Path
    features: Path
    manifest: Path
    duplicates: Path
    preset: Path
    evaluations: Path
    decisions: Path
    output: Path


def classifier(
    paths: ClassifierPaths, common: CommonParams, feature_extraction: FeatureExtractionParams, params: ClassifierParams
) -> None:
    """Copy the model that the report recommends: what is promoted, fetched by others, and predicts by default.

    With `classifier.refit` a linear head is fitted again on more images. The model that the figures are of then lies in
    `measured/` inside the output, since the other one may know the images that measure it.

    Args:
        paths: what is read and written.
        common: section `common` of params.yaml.
        feature_extraction: section `feature_extraction` of params.yaml: how its head was fitted.
        params: section `classifier` of params.yaml.
    """
    report = json.loads(paths.summary.read_text(encoding="utf-8"))
    name = report["recommended"]
    model = paths.models / name
    about = json.loads((model / "summary.json").read_text(encoding="utf-8"))
    # A head that is trained, and a network that is, would need images that choose its epoch: deployed as measured.
    is_linear = (about.get("head") or {}).get("kind") == "logistic"
    said = name
    start_tensorflow(common.deterministic)
    from stages.lib.bundle.complete import complete
    from stages.lib.deciding.chosen import read_chosen

    decided = read_chosen(paths.decisions, about)
    with atomic_directory(paths.output) as partial:
        remove(partial)
        shutil.copytree(model, partial)
        if params.refit != "none" and is_linear:
            shutil.copytree(model, partial / MEASURED)
            images = _refit(partial, about, paths, common, feature_extraction, params.refit)
            said = f"{name}, its head fitted again on {images:,} images (classifier.refit: {params.refit})"
        if decided.decisions is not None:
            _make_as_sure_as_right(partial / "model.keras", decided.decisions.temperature)
        reason = complete(
            *(partial, paths.manifest, paths.evaluations / name, report), decided.decisions, decided.distance
        )
    print(f"{paths.output}: {said}{f', without model.tflite: {reason}' if reason else ''}")


def _make_as_sure_as_right(file: Path, temperature: float) -> None:
    """Put the temperature into a model's last layer, so that whatever runs it gives the same probabilities."""
    from stages.lib.deciding.networks import scale_logits
    from stages.lib.networks import saved_model

    if temperature != 1:
        model, classes = saved_model.load(file, compile=True)
        scale_logits(model, 1 / temperature)
        saved_model.save(model, file, classes, saved_model.resizing_of(file))


def _refit(
    model: Path,
    about: dict[str, Any],
    paths: ClassifierPaths,
    common: CommonParams,
    feature_extraction: FeatureExtractionParams,
    refit: Refit,
) -> int:
    """Write model.keras anew, and into summary.json that it is; gives how many images it was fitted on."""
    import keras

    from stages.lib.arrays import feature_files
    from stages.lib.heads.refit import refitted
    from stages.lib.networks import saved_model
    from stages.lib.splitting.together import groups_of

    found = refitted(
        paths.features,
        refit,
        functools.partial(groups_of, manifest=paths.manifest, duplicates=paths.duplicates),
        paths.preset,
        common,
        feature_extraction,
    )
    bare = keras.Model(found.model.input, found.model.output, name=about["stage"])
    saved_model.save(bare, model / "model.keras", about["classes"], feature_files.read_resizing(paths.features))
    write_json(about | {"refit": {"on": refit, "images": found.learned, "of": found.images}}, model / "summary.json")
    return found.learned


if __name__ == "__main__":
    entry.run(classifier)
