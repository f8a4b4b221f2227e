"""Faults of server and machine: few lines, no traceback, a known exit code, and a word to the outside."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import proxy_bypass

import pytest

from flows.errors import FlowError
from flows.execution.proxies import ask_this_machine_directly
from flows.exit_codes import ExitCode
from flows.project import site_cache
from flows.project.git import git
from flows.retraining.checkout_places import default_folder
from tests.flows.site import serving

SMALLSET = [sys.executable, "-m", "flows.cli"]


@contextmanager
def answering(status: int, kind: str, text: str) -> Iterator[str]:
    """A server that gives every question the same answer."""

    class Answer(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        do_GET = do_POST = answer  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/api"
        server.shutdown()


def smallset(*arguments: str, cwd: Path | None = None, **environment: str | None) -> tuple[int, list[str]]:
    variables = {name: value for name, value in (os.environ | environment).items() if value is not None}
    done = subprocess.run(
        [*SMALLSET, *arguments], capture_output=True, text=True, env=variables, cwd=cwd, timeout=300, check=False
    )
    assert "Traceback" not in done.stdout + done.stderr
    return done.returncode, done.stderr.splitlines()


@pytest.fixture
def toy(make) -> Path:
    """A project with one stage, never run."""
    project = make({"a": {"cmd": "touch a", "outs": ["a"]}})
    author = ["-c", "user.name=x", "-c", "user.email=x@localhost"]
    git("add", "--all")
    git(*author, "commit", "--quiet", "--message", "Start")
    return project


# What answers where a Prefect server should, and what is said of it.
ANSWERS = {
    "a password is asked for": (401, "application/json", '{"detail": "Unauthorized"}', "it answers 401: PREFECT_API_"),
    "it fails": (500, "text/plain", "Internal Server Error", "it answers 500"),
    "a web page": (200, "text/html", "<html>Welcome</html>", "not as one of Prefect"),
    "a page that is not there": (404, "text/html", "<html>", "it answers 404"),
    "another version": (200, "application/json", '"2.19.0"', "incompatible versions: client: 3."),
    "no version": (200, "application/json", '{"a": 1}', "not as one of Prefect"),
}


@pytest.mark.parametrize("fault", ANSWERS)
def test_what_is_no_server_of_prefect_is_one_line(fault):
    from prefect.settings import PREFECT_API_URL, temporary_settings

    from flows.execution.prefect_errors import ServerError, require_answer

    *answer, said = ANSWERS[fault]
    with answering(*answer) as address, temporary_settings({PREFECT_API_URL: address}):
        with pytest.raises(ServerError) as found:
            require_answer()
        assert str(found.value).startswith(f"Prefect server at {address}: ")
    assert said in str(found.value)
    assert "\n" not in str(found.value)


def test_a_run_that_cannot_begin_is_a_line_a_code_and_a_word(toy):
    with answering(500, "text/html", "<html>") as address, serving() as site:
        code, lines = smallset("retrain", PREFECT_API_URL=address, SMALLSET_WEBHOOK=site.address)
        assert (code, [post["event"] for post in site.posts], len(lines)) == (ExitCode.SERVER, ["failed"], 1)
        assert site.posts[0]["text"].endswith(lines[0].removeprefix("error: "))
    assert not (toy / "a").exists()


@pytest.mark.parametrize("command", [["run"], ["schedule", "--every", "60"]])
def test_no_server_where_one_should_be_is_one_line(toy, command):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}/api"
        code, lines = smallset(*command, PREFECT_API_URL=address)
    assert (code, len(lines)) == (ExitCode.SERVER, 1)
    assert lines[0].startswith(f"error: Prefect server at {address}: no answer ")


@pytest.mark.parametrize("own", [{}, {"NO_PROXY": "example.com"}, {"no_proxy": "example.com, 127.0.0.1"}])
def test_no_proxy_is_asked_for_this_machine(monkeypatch, own):
    """The rule of urllib is that of httpx, requests and websockets too."""
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    for name, value in own.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    for _ in range(2):
        ask_this_machine_directly()
        names = ("127.0.0.1", "localhost", "example.com", "other.org")
        assert [bool(proxy_bypass(name)) for name in names] == [True, True, bool(own), False]
        assert os.environ["NO_PROXY"] == os.environ["no_proxy"]


def without_git(toy: Path) -> dict[str, str | None]:
    folder = toy.parent / "bin"
    folder.mkdir()
    (folder / "python").symlink_to(sys.executable)
    return {"PATH": str(folder)}


def without_dvc(toy: Path) -> dict[str, str | None]:
    hidden = toy.parent / "hidden" / "dvc"
    hidden.mkdir(parents=True)
    (hidden / "__init__.py").write_text("raise ModuleNotFoundError('No module named dvc', name='dvc')")
    return {"PYTHONPATH": os.pathsep.join([str(hidden.parent), os.environ.get("PYTHONPATH", "")])}


def torn(name: str) -> Callable[[Path], dict[str, str | None]]:
    def tear(toy: Path) -> dict[str, str | None]:
        (toy / name).write_text("schema: '2.0'\nstages:\n  a:\n    cmd: [")
        return {}

    return tear


FAULTS = {
    "git: not found": (without_git, ["history"]),
    "dvc: not installed": (without_dvc, ["status"]),
    "dvc.lock: only a part of it": (torn("dvc.lock"), ["status"]),
    "dvc.lock: only a part": (torn("dvc.lock"), ["run"]),
    "'dvc.yaml'": (torn("dvc.yaml"), ["status"]),
}


@pytest.mark.parametrize("said", FAULTS)
def test_a_fault_of_the_machine_is_one_line(toy, said):
    make_fault, command = FAULTS[said]
    code, lines = smallset(*command, **make_fault(toy))
    assert (code, len(lines)) == (ExitCode.FAILED, 1)
    assert lines[0].startswith("error: ")
    assert said in lines[0]


def test_a_user_without_a_home_is_served_or_told(monkeypatch, tmp_path):
    """As in a container whose user is only a number."""

    def homeless(*_: object) -> None:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.chdir(tmp_path)
    for name in ("home", "expanduser"):
        monkeypatch.setattr(Path, name, homeless)
    for name in (site_cache.VARIABLE, "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    site_cache.settle()
    assert Path(os.environ[site_cache.VARIABLE]).parent.is_dir()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(FlowError, match="HOME: expected a folder of this user, found none"):
        default_folder("git@host:birds.git", "main")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_one_line(toy):
    toy.chmod(0o555)
    try:
        code, lines = smallset("run")
    finally:
        toy.chmod(0o755)
    assert (code, len(lines)) == (ExitCode.FAILED, 1)
    assert "Permission denied" in lines[0]


def test_what_the_system_refuses_is_told_as_it_is_and_a_bug_is_none():
    from flows.faults import fault_of

    for number, said in ((28, "No space left on device"), (30, "Read-only file system"), (13, "Permission denied")):
        assert str(fault_of(OSError(number, "x", "/a/b"))).startswith(f"/a/b: {said}: ")
        error = ValueError("of what went before")
        error.__cause__ = OSError(number, "x")
        assert str(fault_of(ExceptionGroup("", [error]))).startswith(f"{said}: ")
    assert fault_of(FileNotFoundError(2, "x", "/a/b")) is None
    assert fault_of(ValueError("a bug")) is None
