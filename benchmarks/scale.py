"""Time and memory of the stages and of DVC as the images grow in number.

    python -m benchmarks.scale dogs-vs-cats-5000.zip models/backbone --sizes 5000,25000,100000
    python -m benchmarks.scale dogs-vs-cats-5000.zip models/backbone --stages download,split --folder /tmp/scale
    python -m benchmarks.scale dogs-vs-cats-5000.zip models/backbone --sizes 1000 --image-size 180 \\
        --candidates models/backbone,another/preset --stages download,split,candidates,candidate_features@first,\\
    candidate_features@second,backbone,features

The archive holds real images of two classes; each made one is another crop of one of them, in other light and
compressed otherwise. models/backbone is a preset directory. Every stage runs as its command in dvc.yaml, in a project
of its own; then `dvc commit` hashes and caches what the stages wrote, and `dvc status` looks whether anything changed.

"peak" is the largest memory of the process and all it started, at one moment: what is each one's alone, and what they
may share once; sampled, so a shorter peak may be missed. Trainings run for one epoch.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import psutil
import typer
import yaml

from benchmarks import tables
from benchmarks.many_images import many_images
from benchmarks.options import Archive, PresetFolder, Size, mistakes_in_one_line
from stages.lib.core.params_file import read_file

ROOT = Path(__file__).resolve().parents[1]
_PAUSE = 0.1  # seconds between two samples of memory

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@dataclass(frozen=True)
class Cost:
    """What a command took. seconds: wall. peak: bytes."""

    seconds: float
    peak: int


def measured(command: list[str], folder: Path) -> Cost:
    """Run a command to its end, and watch it."""
    environment = os.environ | {
        "DVC_NO_ANALYTICS": "1",
        "DVC_SITE_CACHE_DIR": str(folder / ".site"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    log, peak, ended = folder / "output.log", 0, threading.Event()
    with log.open("wb") as output:
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT)

        def watch() -> None:
            nonlocal peak
            while not ended.wait(_PAUSE):
                peak = max(peak, _memory(process.pid))

        watcher = threading.Thread(target=watch)
        watcher.start()
        code = process.wait()
        seconds = time.perf_counter() - start
    ended.set()
    watcher.join()
    if code:
        sys.exit(f"error: {shlex.join(command)}: exit code {code}\n{log.read_text(errors='replace')[-2000:]}")
    return Cost(seconds, peak)


def _memory(pid: int) -> int:
    try:
        processes = [psutil.Process(pid)]
        processes += processes[0].children(recursive=True)
    except psutil.NoSuchProcess:
        return 0
    own, shared = 0, 0
    for process in processes:
        try:
            found = process.memory_full_info()
        except psutil.Error:
            continue
        own, shared = own + found.uss, max(shared, found.rss - found.uss)
    return own + shared


def project(folder: Path, images: Path, preset: Path, image_size: int, candidates: list[str]) -> None:
    """The project with these images, this backbone and these candidates for another one, nothing made yet."""
    for name in ("dvc.yaml", "smallset", "stages", ".dvcignore", ".gitignore"):
        copy: Any = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    params = read_file(ROOT / "params.yaml")
    params["common"]["image_size"] = image_size
    params["download"] |= {"source": "folder", "path": str(images)}
    # A directory is found from the project too; a name of KerasHub is none.
    params["backbone"]["candidates"] = [str(Path(one).resolve()) if Path(one).is_dir() else one for one in candidates]
    for section in params.values():
        if "epochs" in section:
            section |= {"epochs": 1, "min_steps": None}
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")
    shutil.copytree(preset, folder / "models" / "backbone")
    (folder / "models" / "image_size.json").write_text(json.dumps({"image_size": image_size}) + "\n")
    for name in ("backbone_cautions", "backbones"):
        (folder / "models" / f"{name}.json").write_text("[]\n")
    author = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.com"]
    for command in (
        ["git", "init"],
        ["dvc", "init"],
        ["git", *author, "commit", "--allow-empty", "--message", "Start"],
    ):
        measured(command, folder)


def command_of(stage: str) -> list[str]:
    """The command of a stage, or of one of several such as evaluate@scratch, as dvc.yaml has it."""
    name, _, item = stage.partition("@")
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    if name not in stages:
        raise typer.BadParameter(f"{stage}: expected stages of dvc.yaml: {', '.join(stages)}")
    command = stages[name].get("do", stages[name])["cmd"]
    return shlex.split(command.replace("${item}", item))


@app.command()
@mistakes_in_one_line()
def main(
    archive: Archive,
    preset: PresetFolder,
    sizes: Annotated[str, typer.Option(help="Numbers of images.")] = "5000,25000,100000",
    stages: Annotated[str, typer.Option(help="Stages, in their order.")] = "download,split,features",
    image_size: Size = 96,
    candidates: Annotated[str, typer.Option(help="Backbones to choose from: presets.")] = "",
    dvc: Annotated[bool, typer.Option(help="Measure DVC as well.")] = True,
    folder: Annotated[Path | None, typer.Option(help="Keeps images and projects, to go on with later.")] = None,
) -> None:
    """Measure every stage at every size."""
    chosen = stages.split(",") if stages else []
    with tempfile.TemporaryDirectory() if folder is None else nullcontext(folder) as place:
        for count in map(int, sizes.split(",")):
            own, work = Path(place).resolve() / f"{count}.zip", Path(place).resolve() / f"project-{count}"
            if not own.is_file():
                many_images(archive, own, count)
            if not work.is_dir():
                work.mkdir(parents=True)
                project(work, own, preset, image_size, candidates.split(",") if candidates else [])
            costs = {stage: measured(command_of(stage), work) for stage in chosen}
            if dvc:
                costs["dvc commit"] = measured(["dvc", "commit", "--force", *chosen], work)
                costs["dvc status"] = measured(["dvc", "status", *chosen], work)
            if costs:
                show(count, image_size, costs)


def show(count: int, image_size: int, costs: dict[str, Cost]) -> None:
    """Print a row per command."""
    title = f"{count:,} images, models at {image_size} x {image_size}"
    tables.show(
        [title, "wall, s", "images/s", "peak, GB"],
        [
            (name, f"{cost.seconds:.1f}", f"{count / cost.seconds:,.0f}", f"{cost.peak / 1e9:.2f}")
            for name, cost in costs.items()
        ],
    )
    print()


if __name__ == "__main__":
    app()
