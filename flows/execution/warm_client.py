"""What stands in for `python` while a run is at work: a stage runs in a copy of the warm process, all else as ever.

    python -I -S warm_client.py SOCKET PYTHON ARGUMENTS

Started once a stage, so it imports little; and nothing of this project, which may lie in the working directory in
another version. It is to its parent what the stage is: its signals reach the stage, which ends with it, and it ends
as the stage does.
"""

import json
import os
import signal
import socket
import sys
from contextlib import suppress

assert sys.platform == "linux", "it is started on Linux alone"
ANSWER = 2.0  # seconds for the warm process to say that it takes an order; it forks one after the other
_PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main(place: str, python: str, arguments: list[str]) -> int:
    """Run `python ARGUMENTS`, as the stage that it is or in the place of this process; gives the exit status."""
    if len(arguments) > 1 and arguments[0] == "-m" and arguments[1].startswith("stages."):
        # A signal that comes between the order and its answer waits until the stage can have it.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _PASSED_ON)
        with socket.socket(socket.AF_UNIX) as warm:
            if _ordered(warm, place, arguments[1:]):
                return _followed(warm, before)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return os.execv(python, [python, *arguments])


def _ordered(warm: socket.socket, place: str, arguments: list[str]) -> bool:
    """Whether the warm process has taken the order; one that is not ready yet, or not there any more, has not."""
    folder = os.getcwd()  # noqa: PTH109  (pathlib takes longer to import than all else here)
    order = json.dumps({"arguments": arguments, "folder": folder, "environment": dict(os.environ)}).encode()
    try:
        warm.settimeout(ANSWER)
        warm.connect(place)
        socket.send_fds(warm, [len(order).to_bytes(8, "big")], [0, 1, 2])
        warm.sendall(order)
        return warm.recv(1) == b"y"
    except OSError:
        return False


def _followed(warm: socket.socket, mask: set[int | signal.Signals]) -> int:
    """Pass signals on to the stage until it has ended; end as it did.

    Args:
        mask: signals that are blocked from now on.
    """
    warm.settimeout(None)
    for number in _PASSED_ON:
        signal.signal(number, lambda found, _: warm.sendall(bytes([found])))
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    status = b""
    with suppress(OSError):
        while len(status) < 4 and (found := warm.recv(4 - len(status))):
            status += found
    if len(status) < 4:
        print("ERROR: the warm process was killed, and this stage with it", file=sys.stderr)
        return 1
    code = int.from_bytes(status, "big", signed=True)
    if code < 0:
        if -code != signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
