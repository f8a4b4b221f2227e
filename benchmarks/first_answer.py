"""How soon a run says something: the first answer on one's own images, and the time of the embedded default.

    python -m benchmarks.first_answer own PRESET ARCHIVE:IMAGES... [--json]
    python -m benchmarks.first_answer default [--against REVISION] [--turns 3] [--json]

`own` takes so many images of each class from an archive, and does in a fresh clone what is typed for them: seconds to
the line with the first answer, to the first page and to the end; "correct" says whether the evaluation of that model
has the same figure at the end. `default` runs the embedded default in fresh clones, in turns with another revision if
one is named, which runs in this environment: medians of the seconds, and the accuracy of every model. "processor" is
the processors' time, which other work disturbs less. Prefect has made its database before, as it does once a machine.
"""

import json
import re
import subprocess
import sys
import tempfile
import time
import zipfile
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path, PurePosixPath
from statistics import median
from typing import Annotated, Any

import psutil
import typer

from benchmarks import tables
from benchmarks.options import Json, PresetFolder, mistakes_in_one_line
from benchmarks.orchestration import RUN, Clone
from stages.lib.core.errors import UserError

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
FIRST = re.compile(r"first answer: use (\w+): (?:balanced accuracy )?([\d.]+) %")
PAGE = "first page: "


@dataclass(frozen=True)
class Run:
    """One run in a fresh clone.

    Attributes:
        seconds: to the end.
        processor: seconds of all processors.
        first_answer: seconds to that line; None where there was none.
        first_page: the same.
        first_says: the model and the share that the line has.
        accuracies: of every model at the end.
        stages: seconds of each.
    """

    seconds: float
    processor: float
    first_answer: float | None
    first_page: float | None
    first_says: tuple[str, float] | None
    accuracies: dict[str, float]
    stages: dict[str, float]

    @property
    def first_is_correct(self) -> bool:
        """Whether the first answer is what the evaluation of that model says at the end."""
        if self.first_says is None:
            return False
        name, share = self.first_says
        return abs(100 * self.accuracies.get(name, -1.0) - share) < 0.051


def watched(clone: Clone, command: list[str]) -> Run:
    """Run a command in a clone, and note when it says what."""
    clone.run([sys.executable, "-m", "prefect", "server", "database", "upgrade", "--yes"])
    before, start = psutil.Process().cpu_times(), time.perf_counter()
    process = subprocess.Popen(
        command, cwd=clone.folder, env=clone.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    answer = page = says = None
    lines = []
    assert process.stdout
    for line in process.stdout:
        lines.append(line)
        if answer is None and (found := FIRST.search(line)):
            answer, says = time.perf_counter() - start, (found[1], float(found[2]))
        elif page is None and PAGE in line:
            page = time.perf_counter() - start
    if process.wait():
        sys.exit(f"error: {command} ended with {process.returncode}:\n{''.join(lines)}")
    seconds, after = time.perf_counter() - start, psutil.Process().cpu_times()
    # An earlier Smallset called them metrics.json.
    files = [file for name in ("metrics", "figures") for file in clone.folder.glob(f"evaluation/*/{name}.json")]
    figures = {file.parent.name: json.loads(file.read_text(encoding="utf-8")) for file in files}
    accuracies = {name: one["accuracy"] for name, one in sorted(figures.items()) if "accuracy" in one}
    record = json.loads((clone.folder / ".smallset" / "run.json").read_text(encoding="utf-8"))
    stages = {one["name"]: one["seconds"] for one in record["stages"] if one["seconds"]}
    processor = sum(after[2:4]) - sum(before[2:4])
    return Run(seconds, processor, answer, page, says, accuracies, stages)


def take(archive: Path, images: int, folder: Path) -> None:
    """Lay so many images of each class of an archive into a folder with a subfolder a class."""

    def class_of(name: str) -> str:
        path = PurePosixPath(name)
        return path.name.split(".")[0] if "." in path.stem else path.parent.name

    with zipfile.ZipFile(archive) as content:
        files = [name for name in content.namelist() if not name.endswith("/")]
        names = sorted(files, key=lambda name: (class_of(name), name))
        for label, members in groupby(names, key=class_of):
            (folder / label).mkdir(parents=True)
            for name in list(members)[:images]:
                (folder / label / PurePosixPath(name).name).write_bytes(content.read(name))


@app.command()
@mistakes_in_one_line()
def own(
    preset: PresetFolder,
    archives: Annotated[list[str], typer.Argument(metavar="ARCHIVE:IMAGES", help="A zip, and images of each class.")],
    as_json: Json = False,
) -> None:
    """Measure the first answer on photographs."""
    found: dict[str, Any] = {}
    asked = [one.rpartition(":") for one in archives]
    for archive, _, images in asked:
        if not images.isdecimal() or not Path(archive).is_file():
            raise UserError(
                f"expected a zip that is there and images, such as cats.zip:50. Received: {archive}:{images}"
            )
    for archive, _, images in asked:
        with tempfile.TemporaryDirectory() as folder:
            photographs = Path(folder) / "photographs"
            take(Path(archive), int(images), photographs)
            clone = Clone(Path(folder) / "clone")
            arguments = [str(photographs), "--preset", str(preset.resolve())]
            typed = f"smallset run ~/photographs --preset ~/{preset.name}"
            name = f"{len(list(photographs.iterdir()))} x {images} of {Path(archive).stem}"
            found[name] = asdict(run := watched(clone, [*RUN, *arguments]))
            found[name] |= {"typed": typed, "keystrokes": len(typed) + 1, "first_is_correct": run.first_is_correct}
    if as_json:
        print(json.dumps(found, indent=2))
        return
    columns = ["", "first answer, s", "correct", "first page, s", "end, s", "processor, s", "keystrokes"]
    times = ("first_page", "seconds", "processor")
    rows = [
        (
            *(name, _seconds(one["first_answer"]), "yes" if one["first_is_correct"] else "no"),
            *(_seconds(one[key]) for key in times),
            str(one["keystrokes"]),
        )
        for name, one in found.items()
    ]
    tables.show(columns, rows, f"typed: {next(iter(found.values()))['typed']}", width=120)


@app.command()
def default(
    against: Annotated[str | None, typer.Option(metavar="REVISION", help="Another commit, in turns with this.")] = None,
    turns: Annotated[int, typer.Option(min=1, help="Runs of each.")] = 3,
    as_json: Json = False,
) -> None:
    """Measure the embedded default."""
    revisions = ["HEAD", against] if against else ["HEAD"]
    found: dict[str, list[Run]] = {revision: [] for revision in revisions}
    for _ in range(turns):
        for revision, runs in found.items():
            with tempfile.TemporaryDirectory() as folder:
                clone = Clone(Path(folder) / "clone")
                clone.run(["git", "checkout", "--quiet", revision])
                runs.append(watched(clone, RUN))
    if as_json:
        print(json.dumps({revision: [asdict(one) for one in runs] for revision, runs in found.items()}, indent=2))
        return
    first = median(one.seconds for one in next(iter(found.values())))
    models = sorted({name for runs in found.values() for one in runs for name in one.accuracies})
    rows = []
    for revision, runs in found.items():
        seconds = median(one.seconds for one in runs)
        figures = [f"{median(one.accuracies.get(name, float('nan')) for one in runs):.3f}" for name in models]
        processor = median(one.processor for one in runs)
        rows.append((revision, f"{seconds:.0f}", f"{first / seconds:.2f}", f"{processor:.0f}", *figures))
    tables.show(["", "seconds", "ratio", "processor", *models], rows, f"medians of {turns}", width=150)


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.0f}"


if __name__ == "__main__":
    app()
