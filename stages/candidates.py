"""The backbones to choose from, each in a slot of its own, looked at before the first image is."""

from pathlib import Path

from stages.lib.candidates import slots
from stages.lib.core import entry
from stages.lib.core.model_sections import BackboneParams
from stages.lib.core.params import CommonParams
from stages.lib.networks.startup import start_tensorflow


def candidates(entries: Path, common: CommonParams, backbone: BackboneParams) -> None:
    """Write which preset lies in which slot, once all of them are known to be usable.

    Args:
        entries: directory to write: `<slot>.json` with the name of a preset, or null.
        common: section `common` of params.yaml.
        backbone: section `backbone` of params.yaml.

    Raises:
        UserError: a candidate is no preset, cannot be fetched, is not for images, or does not take images of this size.
    """
    asked = backbone.candidates if backbone.enabled else []
    if any(asked):
        # TensorFlow takes seconds to import: where there is nothing to choose from it is done without.
        start_tensorflow(common.deterministic)
        from stages.lib.candidates.loading import look

        for name in filter(None, asked):
            size = look(name, common.pixels if common.has_pixels else None, backbone.pooling)
            print(f"candidate {name}, for images of {size} x {size}", flush=True)
    else:
        print("backbone.candidates: none, backbone.preset is taken")
    slots.write_entries(entries, asked)


if __name__ == "__main__":
    entry.run(candidates)
