"""The end of a process together with all its descendants."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

import psutil

# Seconds to obey each; Windows has one way to end a process, at once.
if sys.platform == "win32":
    _GRACE = {signal.SIGTERM: 5.0}
else:
    _GRACE = {signal.SIGINT: 10.0, signal.SIGTERM: 5.0, signal.SIGKILL: 5.0}
_OWN_END = 2.0  # seconds for DVC to end by itself, or to come to its next stage, once it has none
_POLL = 0.05  # seconds


def end(process: "subprocess.Popen[bytes]") -> None:
    """End a process that leads its own session, and all its descendants, so that DVC can go on afterwards.

    SIGINT lets the stage clean up, and then DVC, which ends as its stage does. DVC itself is interrupted only where it
    does not: while it strikes itself off its list of who uses which file, that would leave a list that no command of
    DVC can read. It gets no SIGTERM either, which would orphan its stage.
    """
    tree = _Tree(process)
    obeys = sys.platform == "win32" or _end_below(tree, process.pid)
    for number, grace in _GRACE.items():
        if number == signal.SIGINT and not obeys:
            continue
        for member in tree.alive():
            if number != signal.SIGTERM or member.pid != process.pid or sys.platform == "win32":
                _send(member, number)
        deadline = time.monotonic() + grace
        while tree.alive():
            if time.monotonic() > deadline:
                break
            time.sleep(_POLL)
        else:
            break
    process.wait()


def _end_below(tree: "_Tree", leader: int) -> bool:
    """Interrupt all but the leader, also what begins meanwhile, and let it end by itself; gives whether they obeyed."""
    told: set[psutil.Process] = set()
    start = time.monotonic()
    # One that has no stage may be between two, and write down what became of the first.
    until = start + _OWN_END
    while members := tree.alive():
        now, below = time.monotonic(), {member for member in members if member.pid != leader}
        if now > start + _GRACE[signal.SIGINT]:
            return not below
        if below:
            until = now + _OWN_END
            for member in below - told:
                _send(member, signal.SIGINT)
            told |= below
        elif now >= until:
            break
        time.sleep(_POLL)
    return True


class _Tree:
    """The members of a session and their descendants in other sessions, dead ones and zombies left out."""

    def __init__(self, leader: "subprocess.Popen[bytes]") -> None:
        self._leader = leader
        self._known: set[psutil.Process] = set()

    def alive(self) -> set[psutil.Process]:
        self._leader.poll()
        found = set(self._known)
        for process in psutil.process_iter():
            if _is_of(process, self._leader.pid):
                found.add(process)
        for process in tuple(found):
            try:
                found.update(process.children(recursive=True))
            except psutil.Error:
                continue
        self._known = {process for process in found if _is_alive(process)}
        return self._known


def _is_of(process: psutil.Process, leader: int) -> bool:
    """Whether a process is of the session of a leader, which may have ended; on Windows it or a child of it."""
    try:
        if sys.platform == "win32":
            return leader in (process.pid, process.ppid())
        return os.getsid(process.pid) == leader
    except (OSError, psutil.Error):
        return False


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _send(process: psutil.Process, number: signal.Signals) -> None:
    with suppress(psutil.Error):
        process.send_signal(number)
