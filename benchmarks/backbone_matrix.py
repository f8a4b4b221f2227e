"""Every class of backbone that KerasHub exports, tiny and with random weights, through every stage.

    python -m benchmarks.backbone_matrix
    python -m benchmarks.backbone_matrix --only ViTBackbone --only SwinTransformerBackbone
    python -m benchmarks.backbone_matrix --json

"gives": a map, tokens (with a class token or without) or a vector; "stages": `backbone`, `features`,
`feature_extraction`, `feature_extraction_augmented` and `fine_tuned`, saved and loaded between them; "explanations":
of the fine-tuned model, by Grad-CAM or by covering places; "predict": with it; "mixed precision": features in bfloat16
point where those in float32 do (cosine above 0.99); "seconds": of the processors, for all of it. What is refused is
refused by one line, which JSON has. About ten minutes of two cores.
"""

import json
from importlib import import_module
from typing import Annotated

import typer

from benchmarks.options import require_one_of
from benchmarks.tables import show
from stages.lib.networks.startup import start_tensorflow

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
_COLUMNS = ("family", "gives", "stages", "explanations", "predict", "mixed precision", "seconds")


@app.command()
def main(
    only: Annotated[list[str] | None, typer.Option(help="Names of classes; all take longer.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, with the lines of what is refused.")] = False,
) -> None:
    """Print a row for each class."""
    start_tensorflow()
    # The tiny backbones, and what is done with them, are those of the tests.
    matrix = import_module("tests.stages.backbone_matrix")
    for name in only or ():
        require_one_of(name, sorted([*matrix.EVERY, *matrix.REFUSED]))
    rows = list(matrix.quiet_rows(only or ()))
    if as_json:
        print(json.dumps({"rows": rows}, indent=2))
    else:
        show(_COLUMNS, [[str(row[column]) for column in _COLUMNS] for row in rows])


if __name__ == "__main__":
    app()
