"""Clients of a service in one process: each sends one image after the other, and waits for the answer.

python -m benchmarks.service_clients PORT FOLDER CLIENTS SECONDS
"""

import json
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from itertools import cycle, islice
from pathlib import Path


def ask(port: int, images: list[bytes], first: int, until: float) -> list[float]:
    """Seconds of each request of one client."""
    connection, taken = HTTPConnection("127.0.0.1", port, timeout=60), list[float]()
    for content in islice(cycle(images), first, None):
        begun = time.perf_counter()
        if begun > until:
            break
        connection.request("POST", "/predict", content, {"Content-Type": "image/jpeg"})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
        taken.append(time.perf_counter() - begun)
    return taken


def main(port: int, folder: Path, clients: int, seconds: float) -> None:
    """Print requests a second, and the time that half and 99 of 100 of them need at most."""
    images = [file.read_bytes() for file in sorted(folder.iterdir())]
    begun = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        running = [pool.submit(ask, port, images, 7 * one, begun + seconds) for one in range(clients)]
        taken = [time_ for one in running for time_ in one.result()]
    passed = time.perf_counter() - begun
    parts = statistics.quantiles(taken, n=100, method="inclusive")
    print(json.dumps({"per_second": len(taken) / passed, "p50": parts[49], "p99": parts[98]}))


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
