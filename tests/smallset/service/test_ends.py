"""How a service ends: every request that has begun is answered, and nothing is left."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from tests.smallset.service.conftest import image

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals there")
@pytest.mark.parametrize(
    ("name", "code", "before"),
    [("SIGINT", 130, "SIG_DFL"), ("SIGHUP", 143, "SIG_DFL"), ("SIGHUP", None, "SIG_IGN")],
)
def test_a_signal_ends_a_service_after_its_answers(
    bundle: Path, tmp_path: Path, name: str, code: int | None, before: str
) -> None:
    start = (
        "import signal, sys; from smallset.cli.commands import run; "
        f"signal.signal(signal.SIGHUP, signal.{before}); sys.exit(run(sys.argv[1:]))"
    )
    command = [sys.executable, "-P", "-c", start, "serve", str(bundle), "--port", "0"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
    environment.pop("SMALLSET_TOKEN", None)
    with (tmp_path / "log").open("w") as opened:
        service = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=opened, text=True, env=environment)
    assert service.stdout is not None
    found = re.match(r"http://127\.0\.0\.1:(\d+) ", service.stdout.readline())
    assert found
    content, statuses = image(), list[int]()

    def ask() -> None:
        asking = http.client.HTTPConnection("127.0.0.1", int(found[1]), timeout=20)
        asking.putrequest("POST", "/predict")
        asking.putheader("Content-Length", str(len(content)))
        asking.endheaders(content[:100])
        begun.set()
        time.sleep(0.5)
        asking.send(content[100:])
        statuses.append(asking.getresponse().status)

    asking = http.client.HTTPConnection("127.0.0.1", int(found[1]), timeout=20)
    asking.request("POST", "/predict", b"--xy", {"Content-Type": "multipart/form-data; boundary=x"})
    assert asking.getresponse().status == 400
    begun = threading.Event()
    caller = threading.Thread(target=ask)
    caller.start()
    assert begun.wait(20)
    time.sleep(0.2)
    decoders = psutil.Process(service.pid).children()
    service.send_signal(getattr(signal, name))
    if code is None:  # as `nohup` has it
        caller.join(20)
        assert service.poll() is None
        service.send_signal(signal.SIGTERM)
    assert service.wait(20) == (code or 143)
    caller.join(20)
    service.stdout.close()
    assert statuses == [200]
    assert decoders
    assert psutil.wait_procs(decoders, 5)[1] == []
    assert [one.name for one in tmp_path.iterdir()] == ["log"]
    log = (tmp_path / "log").read_text().removesuffix("interrupted\n")  # which is said to a person
    lines = [json.loads(line) for line in log.splitlines()]
    assert [(one["route"], one["status"]) for one in lines] == [("/predict", 400), ("/predict", 200)]
