"""The command line of what predicts."""

import argparse
import sys
from collections.abc import Callable, Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING

from safety.text import visible
from smallset.cli import models
from smallset.cli.ends import code_of
from smallset.cli.serving import serve, serve_parser
from smallset.decoding.process import Process
from smallset.inference.quiet import quiet

if TYPE_CHECKING:
    from smallset.inference.classifier import Classifier

COMMANDS = {
    "predict": "Classify images with a model that a run has trained.",
    "verify": "Prove with its examples that a bundle reads and classifies images here as where it was made.",
    "serve": "Answer requests for predictions over HTTP, with a page for people, until a signal ends it.",
}
_EXAMPLES = (
    "Examples: smallset predict cat.jpg | smallset predict holiday/ --output holiday.parquet | "
    "find . -name '*.jpg' -print0 | smallset predict - -0 --csv all.csv"
)


def predict_parser() -> argparse.ArgumentParser:
    """What `smallset predict` takes."""
    parser = argparse.ArgumentParser(prog="smallset predict", description=COMMANDS["predict"], epilog=_EXAMPLES)
    parser.add_argument(
        "paths",
        nargs="+",
        metavar="PATH",
        help="Images, folders, patterns in quotes, tables (.csv, .parquet) with a column path, - for standard input.",
    )
    model = "A bundle, a model of the project, a git revision, a version or in-use; else the recommended model."
    parser.add_argument("--model", metavar="NAME", help=model)
    parser.add_argument("--output", type=Path, metavar="FILE", help="Write a table: .csv, .jsonl or .parquet.")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="Write a table of csv, whatever the file is called.")
    parser.add_argument("--explain", type=Path, metavar="FOLDER", help="Write each image with what speaks for it.")
    parser.add_argument("-0", "--null", action="store_true", help="Paths on standard input end with a null byte.")
    return parser


def verify_parser() -> argparse.ArgumentParser:
    """What `smallset verify` takes."""
    parser = argparse.ArgumentParser(prog="smallset verify", description=COMMANDS["verify"])
    parser.add_argument("model", nargs="?", metavar="BUNDLE", help="As --model of smallset predict.")
    return parser


def parser_of(command: str) -> argparse.ArgumentParser:
    """What one of `COMMANDS` takes."""
    if command == "serve":
        return serve_parser(COMMANDS[command])
    return predict_parser() if command == "predict" else verify_parser()


def parse(words: Sequence[str]) -> argparse.Namespace:
    """The options that the words after `smallset` mean, of which the first is one of `COMMANDS`: `command` is that."""
    command, *others = words
    parser = parser_of(command)
    # Options may stand anywhere among the paths.
    return parser.parse_intermixed_args(_without_end(others), argparse.Namespace(command=command))


def _without_end(words: Sequence[str]) -> list[str]:
    """The words without `--`, which argparse loses among intermixed ones: what follows it are paths."""
    place = words.index("--") if "--" in words else len(words)
    paths = words[place + 1 :]
    return [*words[:place], *(f"./{one}" if one.startswith("-") and one != "-" else one for one in paths)]


def run(words: Sequence[str]) -> int:
    """Run the command that the words after `smallset` ask for, with bundles alone; returns its exit code."""
    if words[:1] and words[0] in COMMANDS:
        options = parse(words)
        if options.command == "serve":
            return code_of(lambda: serve(options, lambda: models.find(options.model)))
        return code_of(lambda: carry_out(options, lambda: load(models.find(options.model))))
    commands = "\n".join(f"  {name:8} {text}" for name, text in COMMANDS.items())
    top = argparse.ArgumentParser(
        prog="smallset",
        usage="%(prog)s COMMAND ...",
        description=f"Use a classifier that the pipeline has made.\n\ncommands:\n{commands}",
        epilog="All other commands belong to the pipeline: pip install '.[pipeline]' in a clone.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="store_true", help="show the version")
    if top.parse_args(words).version:
        from importlib.metadata import version

        print(version("smallset"))
    else:
        top.print_help()
    return 0


def carry_out(options: argparse.Namespace, load: Callable[[], "Classifier"]) -> int:
    """Carry out a command with a classifier, whatever computes for it.

    Args:
        options: of `parse`.
        load: gives the classifier; it is called once all else is looked at.

    Returns:
        The exit code.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # no name ends a command while it is printed
    if options.command == "verify":
        classifier = load()
        difference = classifier.verify()
        print(f"{visible(classifier.directory)}: as where it was made; largest difference {difference:.1e}")
        return 0
    begun = Process()
    begun.begin()
    try:
        # Only now, while the process starts: with numpy and more, it takes as long as that.
        from smallset.cli.predicting import predict

        return predict(options, load, begun)
    finally:
        begun.end()


def load(directory: Path) -> "Classifier":
    """The classifier of a bundle, its model loaded; before that, nothing has loaded numpy."""
    from smallset.inference.classifier import Classifier

    classifier = Classifier(directory)
    with quiet():
        classifier.prepare()
    return classifier
