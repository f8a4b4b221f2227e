"""What a run leaves to look at: the figures of every model, and the report."""

from pathlib import Path
from typing import Any

from flows.graph import read_metrics

REPORT = Path("report") / "report.html"
Row = dict[str, Any]


def read_models() -> list[Row]:
    """Read the figures of every evaluated model: `model`, then each figure by its name.

    Raises:
        FlowError: this is no project, or dvc.yaml cannot be read.
    """
    files = {Path(path): values for path, values in read_metrics().items()}
    return [
        {"model": path.parent.name} | {name: value for name, value in values.items() if isinstance(value, int | float)}
        for path, values in files.items()
        # A model that is turned off has no figures.
        if path.parts[0] == "evaluation" and values
    ]


def publish() -> None:
    """Show the figures and the report among the artifacts of the flow run."""
    from prefect.artifacts import create_link_artifact, create_table_artifact

    models = read_models()
    if models:
        create_table_artifact(models, key="metrics", description="Figures of every model on the test pictures.")
    if REPORT.is_file():
        create_link_artifact(REPORT.resolve().as_uri(), link_text=str(REPORT), key="report")
