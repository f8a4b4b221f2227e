"""How good the head is as a procedure, by repeated cross-validation, and what more images would bring."""

from functools import partial
from pathlib import Path

from stages.lib.core import entry
from stages.lib.core.model_sections import FeatureExtractionParams
from stages.lib.core.outputs import is_disabled, write_json
from stages.lib.core.params import CommonParams
from stages.lib.core.sections import CrossValidationParams


def cross_validation(
    manifest: Path,
    duplicates: Path,
    features: Path,
    figures: Path,
    common: CommonParams,
    feature_extraction: FeatureExtractionParams,
    params: CrossValidationParams,
) -> None:
    """Write what heads reach on images that they were not trained on, and at growing numbers of images.

    All images take part, those of validation and test too: the figures speak for the procedure, a logistic regression
    on these features, and not for one of the models.

    Args:
        manifest: table of the images, from the stage `split`.
        duplicates: table of copies, from the stage `split`: no image is judged by a head that knows a copy of it.
        features: directory of the stage `features`.
        figures: json to write, `resampling.summary`; without keys where this or `features` is turned off, or where
            fewer than two classes have three different images.
        common: section `common` of params.yaml.
        feature_extraction: section `feature_extraction`: what its linear head would do about mirrors and class weights.
        params: section `cross_validation` of params.yaml.
    """
    if not params.enabled or is_disabled(features):
        write_json({}, figures)
        print(f"{'cross_validation' if not params.enabled else 'features'}: turned off, nothing to cross-validate")
        return

    # scikit-learn takes seconds to import: a stage that is turned off does without.
    from stages.lib.resampling.head import LinearHeads
    from stages.lib.resampling.images import read_images
    from stages.lib.resampling.repeated import repeats_of, resample
    from stages.lib.resampling.summary import sentence, summary
    from stages.lib.splitting.together import groups_of

    together = partial(groups_of, manifest=manifest, duplicates=duplicates)
    images = read_images(features, together, params.images, common.seed)
    for name in images.left_out:
        print(f"cross_validation: class {name!r} is left out: fewer than three different images")
    if len(images.classes) < 2:
        write_json({}, figures)
        print("cross_validation: fewer than two classes have three different images, nothing to cross-validate")
        return
    heads = LinearHeads(
        *(images.vectors, images.mirrored, images.labels, images.groups, len(images.classes), common.seed),
        averaged=feature_extraction.mirror,
        balanced=feature_extraction.class_weights is not None,
    )
    repeats = repeats_of(params.repeats, len(images.labels))
    chosen_on = heads.chosen_on if heads.is_costly(repeats) else None
    found = resample(images.labels, images.groups, heads.predict, params.folds, repeats, common.seed, chosen_on)
    if chosen_on:
        print("cross_validation: scaling and strength are chosen once for each half of the parts, on the other half")
    result = summary(found, images, common.seed)
    write_json(result, figures)
    print(sentence(result))


if __name__ == "__main__":
    entry.run(cross_validation)
