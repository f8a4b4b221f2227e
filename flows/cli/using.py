"""The commands that use a model: `smallset predict, verify, export, serve`."""

from pathlib import Path
from typing import Annotated

import typer

from flows.cli import start
from flows.cli.errors import ended_by_signals, one_line_errors
from flows.cli.options import PASSED_ON

app = typer.Typer()


@app.command(context_settings=PASSED_ON, epilog="Examples: smallset predict cat.jpg | smallset predict --help")
def predict(context: typer.Context) -> None:
    """Classify images with a model that a run has trained."""
    raise typer.Exit(start.run(["predict", *context.args]))


@app.command(context_settings=PASSED_ON, epilog="Examples: smallset verify | smallset verify models/classifier")
def verify(context: typer.Context) -> None:
    """Prove with its examples that a bundle reads and classifies images here as where it was made."""
    raise typer.Exit(start.run(["verify", *context.args]))


@app.command(
    epilog="Examples: smallset export | smallset export --format onnx --output for_the_phone | "
    "smallset export --model fine_tuned --layout triton"
)
def export(
    model: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="As of predict; else the recommended model.", show_default=False),
    ] = None,
    forms: Annotated[
        list[str],
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="onnx, litert, litert_int8, saved_model, openvino; several, each with its --format; else all.",
            show_default=False,
        ),
    ] = ["all"],  # noqa: B006 as typer takes the default of a list
    output: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="New or empty; else exports/<model>.", show_default=False),
    ] = None,
    layout: Annotated[
        str, typer.Option(metavar="LAYOUT", help="plain, or a model repository: triton, tf_serving.")
    ] = "plain",
    margin: Annotated[float, typer.Option(metavar="SHARE", help="How much accuracy int8 is shown not to lose.")] = 0.01,
    faster: Annotated[
        float, typer.Option(metavar="TIMES", help="How many times as fast as float32 int8 has to be.")
    ] = 1.5,
) -> None:
    """Write a model for other runtimes, each file tried beside Keras on every test image."""
    with one_line_errors(), ended_by_signals():
        from flows.cli import export_command

        options = {"--layout": layout, "--margin": margin, "--faster": faster}
        words = [f"--format={form}" for form in forms] + [f"{name}={value}" for name, value in options.items()]
        raise typer.Exit(export_command.export(model, output, words))


@app.command(context_settings=PASSED_ON, epilog="Examples: smallset serve | smallset serve in-use --port 9000")
def serve(context: typer.Context) -> None:
    """Answer requests for predictions over HTTP, with a page for people, until a signal ends it."""
    raise typer.Exit(start.run(["serve", *context.args]))
