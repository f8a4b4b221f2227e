"""The recommended model under a name that does not change from run to run."""

import json
import shutil
from pathlib import Path

from stages.lib.core import entry
from stages.lib.core.outputs import atomic_directory, remove


def classifier(summary: Path, models: Path, output: Path) -> None:
    """Copy the model that the report recommends: what is promoted, fetched by others, and predicts by default.

    Args:
        summary: json of the report, which names the recommended model.
        models: a directory per model.
        output: the directory of the copy.
    """
    name = json.loads(summary.read_text(encoding="utf-8"))["recommended"]
    with atomic_directory(output) as partial:
        remove(partial)
        shutil.copytree(models / name, partial)
    print(f"{output}: {name}")


if __name__ == "__main__":
    entry.run(classifier)
