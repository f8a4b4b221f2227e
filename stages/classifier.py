"""The recommended model under a name that does not change from run to run, as a bundle that needs nothing else."""

import json
import shutil
from pathlib import Path

from stages.lib.core import entry
from stages.lib.core.outputs import atomic_directory, remove
from stages.lib.core.params import CommonParams
from stages.lib.networks.startup import start_tensorflow


def classifier(
    summary: Path, models: Path, manifest: Path, evaluations: Path, output: Path, common: CommonParams
) -> None:
    """Copy the model that the report recommends: what is promoted, fetched by others, and predicts by default.

    Args:
        summary: json of the report, which names the recommended model.
        models: a directory per model.
        manifest: table of the images, from the stage `split`.
        evaluations: a directory per model, from the stage `evaluate`.
        output: the directory of the copy, with all that `smallset.load` needs beside it.
        common: section `common` of params.yaml.
    """
    report = json.loads(summary.read_text(encoding="utf-8"))
    name = report["recommended"]
    start_tensorflow(common.deterministic)
    from stages.lib.bundle.complete import complete

    with atomic_directory(output) as partial:
        remove(partial)
        shutil.copytree(models / name, partial)
        reason = complete(partial, manifest, evaluations / name, report)
    print(f"{output}: {name}{f', without model.tflite: {reason}' if reason else ''}")


if __name__ == "__main__":
    entry.run(classifier)
