"""`smallset serve` under load, under attack, and while bundles take each other's place.

    python -m benchmarks.service dogs-vs-cats-5000.zip models/classifier
    python -m benchmarks.service dogs-vs-cats-5000.zip models/classifier --only load --seconds 8 --json

"load": clients in a process of their own on the same machine send one image a request, with and without batching;
beside it the bare runtime with decoding, which needs no HTTP. "attack": hostile uploads of many kinds; each of them has
to be answered or closed. "reload": a loop of requests while the bundle is replaced.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import psutil
import typer

import smallset
from benchmarks import service_attacks, tables
from benchmarks.options import Archive, Bundle, Json, mistakes_in_one_line, require_one_of
from benchmarks.parity import last_images

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("load", "attack", "reload")
CLIENTS = (1, 8, 32)
_CLIENT = "benchmarks.service_clients"

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@contextmanager
def serving(bundle: Path, *options: str) -> Iterator[tuple[int, psutil.Process]]:
    """A service as a person starts it: its port and process."""
    start = "from flows.cli.start import main; main()"
    command = [sys.executable, "-P", "-c", start, "serve", str(bundle), "--port", "0", *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("SMALLSET_TOKEN", None)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as service:
        assert service.stdout is not None
        line = service.stdout.readline()
        found = re.match(r"http://[\d.]+:(\d+) ", line)
        assert found, line
        try:
            yield int(found[1]), psutil.Process(service.pid)
        finally:
            service.send_signal(signal.SIGTERM)
            service.wait(30)


def load(bundle: Path, images: list[bytes], seconds: float) -> list[dict[str, Any]]:
    """Requests a second and their times, by clients and batch; and the bare runtime."""
    bare = by_runtime(bundle, images, seconds)
    rows: list[dict[str, Any]] = [{"way": "bare runtime, decoded in threads", "clients": None, "per_second": bare}]
    with TemporaryDirectory() as name:
        folder = Path(name)
        for index, content in enumerate(images):
            (folder / str(index)).write_bytes(content)
        for batch in (1, 16):
            with serving(bundle, "--batch", str(batch)) as (port, _):
                for clients in CLIENTS:
                    command = [sys.executable, "-m", _CLIENT, str(port), str(folder), str(clients), str(seconds)]
                    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
                    rows.append({"way": f"--batch {batch}", "clients": clients} | json.loads(done.stdout))
    return rows


def by_runtime(bundle: Path, images: list[bytes], seconds: float) -> float:
    """Images a second of the package itself, from the same bytes."""
    classifier = smallset.load(bundle)
    classifier.prepare()
    begun, count = time.perf_counter(), 0
    while (passed := time.perf_counter() - begun) < seconds:
        count += len(classifier.predict(images))
    return count / passed


def attack(bundle: Path, seconds: float) -> dict[str, Any]:
    """What each kind of hostile upload is answered, and what is left of it in the service."""
    with serving(bundle, "--max-megabytes", "8", "--max-seconds", "5") as (port, process):
        good = service_attacks.good_image()
        for _ in range(20):
            assert service_attacks.post(port, good)[0] == 200
        before, begun = _memory(process), time.perf_counter()
        answers: dict[str, set[str]] = {}
        healthy = uploads = 0
        kinds = service_attacks.kinds()
        with ThreadPoolExecutor(len(kinds)) as pool:
            while time.perf_counter() - begun < seconds:
                running = {name: pool.submit(attempt, port) for name, attempt in kinds.items()}
                healthy += service_attacks.healthy(port)
                for name, one in running.items():
                    answers.setdefault(name, set()).add(str(one.result()))
                    uploads += 1
        time.sleep(1)
        assert service_attacks.post(port, good)[0] == 200
        after = _memory(process)
    table = {name: sorted(found) for name, found in answers.items()}
    about = {"kinds": len(kinds), "uploads": uploads, "healthy": healthy, "rounds": uploads // len(kinds)}
    return about | {"answers": table, "mb_before": before, "mb_after": after}


def reload(bundle: Path, requests: int) -> dict[str, Any]:
    """Requests while a directory with another bundle takes the place of the one that is served."""
    image, failed, versions, took = service_attacks.good_image(), 0, set[str](), list[float]()
    with TemporaryDirectory() as name:
        place = Path(name) / "served"
        shutil.copytree(bundle, place, ignore=shutil.ignore_patterns("model.keras"))
        with serving(place) as (port, _):
            connection = HTTPConnection("127.0.0.1", port, timeout=30)
            wanted, since = "", 0.0
            for number in range(requests):
                if number % (requests // 4) == requests // 8:
                    wanted, since = f"promoted_{number}", time.perf_counter()
                    _swap(bundle, place, wanted)
                connection.request("POST", "/predict", image, {"Content-Type": "image/jpeg"})
                answer = connection.getresponse()
                said = json.loads(answer.read())
                failed += answer.status != 200
                versions.add(said.get("version", ""))
                if wanted and said.get("model") == wanted:
                    took.append(time.perf_counter() - since)
                    wanted = ""
    longest = max(took, default=float("nan"))
    return {"requests": requests, "failed": failed, "versions": len(versions), "longest_until_used": longest}


def _swap(bundle: Path, place: Path, model: str) -> None:
    other = place.with_name(f"other-{model}")
    shutil.copytree(bundle, other, ignore=shutil.ignore_patterns("model.keras"))
    file = other / "classifier.json"
    file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")) | {"model": model}), encoding="utf-8")
    place.rename(place.with_name(f"old-{model}"))
    other.rename(place)


def _memory(process: psutil.Process) -> float:
    family = [process, *process.children(recursive=True)]
    return sum(one.memory_info().rss for one in family) / 1e6


@app.command()
@mistakes_in_one_line()
def main(
    archive: Archive,
    bundle: Bundle,
    images: Annotated[int, typer.Option(min=2, help="Images that clients send in turn.")] = 200,
    seconds: Annotated[float, typer.Option(min=0.5, help="Of each measurement; six times that of attacks.")] = 5,
    requests: Annotated[int, typer.Option(min=16, help="While bundles are replaced.")] = 1000,
    only: Annotated[str, typer.Option(help=f"One of {', '.join(PARTS)}.")] = "",
    as_json: Json = False,
) -> None:
    """Measure a service of a bundle."""
    require_one_of(only, PARTS)
    contents = [content for _, content in last_images(archive, images)]
    parts: dict[str, Callable[[], Any]] = {
        "load": lambda: load(bundle, contents, seconds),
        "attack": lambda: attack(bundle, 6 * seconds),
        "reload": lambda: reload(bundle, requests),
    }
    found = {name: part() for name, part in parts.items() if only in ("", name)}
    if as_json:
        print(json.dumps(found))
        return
    for row in found.get("load", ()):
        row["shown"] = [row["way"], str(row["clients"] or ""), f"{row['per_second']:.1f}"]
        row["shown"] += [f"{1000 * row[key]:.0f}" if key in row else "" for key in ("p50", "p99")]
    if "load" in found:
        columns = ["way", "clients", "images/s", "p50 ms", "p99 ms"]
        tables.show(columns, [row["shown"] for row in found["load"]], "Load")
    if "attack" in found:
        about = found["attack"]
        rows = [[name, ", ".join(answers)] for name, answers in about["answers"].items()]
        tables.show(["upload", "answers"], rows, f"{about['uploads']} hostile uploads of {about['kinds']} kinds")
        print(
            f"healthy at {about['healthy']} of {about['rounds']} looks; {about['mb_before']:.0f} MB before, "
            f"{about['mb_after']:.0f} after"
        )
    if "reload" in found:
        about = found["reload"]
        print(
            f"{about['requests']} requests, {about['failed']} failed, {about['versions']} versions answered, "
            f"the latest at most {about['longest_until_used']:.1f} s after it was there"
        )


if __name__ == "__main__":
    app()
