"""`smallset predict`: images in, a line or a row for each out, whatever becomes of some of them."""

import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from safety.text import visible
from safety.words import counted
from smallset.cli.inputs import gather
from smallset.cli.progress import progress
from smallset.decoding.process import Process
from smallset.decoding.reading import read
from smallset.errors import UserError
from smallset.inference.classifier import Classifier
from smallset.inference.decisions import ALWAYS
from smallset.inference.results import Prediction
from smallset.tables import targets, terminal, writers

LEFT_OUT = 9  # exit code: some images could not be read, all others are done
_SOME = 3  # reasons that are told where nothing could be read
Output = Callable[[Prediction], None]


class _LeftOut:
    """Images that cannot be read: told as they are met, counted, and the first of them remembered."""

    def __init__(self) -> None:
        self.count, self.some = 0, list[str]()
        self.say: Callable[[str], None] = lambda line: print(line, file=sys.stderr, flush=True)

    def take(self, line: str) -> None:
        self.count += 1
        if len(self.some) < _SOME:
            self.some.append(line)
        self.say(f"left out: {visible(line)}")

    def take_all(self, reasons: dict[int, str]) -> None:
        for line in reasons.values():
            self.take(line)
        reasons.clear()


def predict(options: Namespace, load: Callable[[], Classifier], begun: Process) -> int:
    """Predict the images that the arguments name, and write or show what was found.

    Args:
        options: of `commands.parse`.
        load: gives what predicts, once all else is looked at.
        begun: a process that reads images, which began early.

    Returns:
        The exit code: 0, or `LEFT_OUT`.

    Raises:
        UserError: a wrong argument, or nothing that can be read; then nothing is written.
    """
    file, form = _target(options)
    left_out, done = _LeftOut(), 0
    found = gather(
        options.paths,
        options.null,
        [file],
        lambda path, reason: left_out.take(f"{path}: {reason}"),
        lambda line: left_out.say(visible(line)),
    )
    classifier = load()
    about, broken = classifier.description, dict[int, str]()
    print(f"model: {visible(about.model)}", file=sys.stderr)
    if about.decisions and about.decisions.unsure_below == ALWAYS:
        # Else 0.999 beside `unsure` looks like a mistake.
        for reason in about.decisions.reasons:
            print(f"decision: {visible(reason)}", file=sys.stderr)
    with ExitStack() as stack:
        bar = stack.enter_context(progress(found.total, beside_rows=file is None))
        left_out.say = bar.say
        outputs = _outputs(stack, file, form, options.explain, classifier)
        pixels = stack.enter_context(
            closing(read(found.paths, about.image_size, about.color, about.resizing, found.total, begun=begun))
        )
        for done, one in enumerate(classifier.classified(pixels, broken), 1):
            left_out.take_all(broken)
            for output in outputs:
                output(one)
            bar.tell(done + left_out.count)
        left_out.take_all(broken)
        if not done:
            raise _nothing(options.paths, left_out)
    if file is not None:
        print(f"{visible(file)}: {counted(done, 'image')}, in {bar.seconds:,.1f} seconds", file=sys.stderr)
    if left_out.count:
        print(f"{left_out.count:,} of {done + left_out.count:,} left out", file=sys.stderr)
    return LEFT_OUT if left_out.count else 0


def _target(options: Namespace) -> tuple[Path | None, writers.Format]:
    """The file to write, if any, and its format; each is looked at before any work."""
    if options.csv is not None and options.output is not None:
        raise UserError("expected --output or --csv. Received: both")
    if options.explain is not None:
        targets.require_folder(options.explain, "--explain")
        table = options.csv or options.output
        if table is not None and table.resolve().is_relative_to(options.explain.resolve()):
            raise UserError(f"{table}: expected a file that is not in the folder of --explain, which has images alone")
    if options.csv is not None:
        targets.require_file(options.csv, "--csv")
        return options.csv, "csv"
    if options.output is not None:
        form = writers.format_of(options.output, "--output")
        targets.require_file(options.output, "--output")
        return options.output, form
    return None, "csv"


def _outputs(
    stack: ExitStack, file: Path | None, form: writers.Format, folder: Path | None, classifier: Classifier
) -> list[Output]:
    """What takes each prediction; what was begun is complete, or gone, when the stack ends."""
    about = classifier.classes, classifier.description.decisions is not None
    shown = terminal.showing(*about) if file is None else _written(file, form, *about)
    outputs: list[Output] = [stack.enter_context(shown)]
    if folder is not None:
        # Without --explain nothing of this is loaded.
        from smallset.explanation.heat import explaining

        partial = stack.enter_context(targets.whole_folder(folder))
        outputs.append(stack.enter_context(explaining(partial, classifier)))
    return outputs


@contextmanager
def _written(file: Path, form: writers.Format, classes: Sequence[str], decided: bool) -> Iterator[Output]:
    with targets.whole_file(file) as partial, writers.writing(partial, form, classes, decided) as write:
        yield write


def _nothing(words: Sequence[str], left_out: _LeftOut) -> UserError:
    if not left_out.count:
        return UserError(f"expected at least one image, found none in {', '.join(words)}")
    files = counted(left_out.count, "file that is none", "files that are none")
    return UserError(f"expected at least one image, found {files}: {'; '.join(left_out.some)}")
