"""`flows.server`: Prefect's own server ends with its run, however that ends."""

import os
import subprocess
import sys

from flows import server


def test_the_server_of_a_killed_run_is_ended_by_the_next_and_no_other(prefect_server):
    # Of a run that is gone; of this one, which is at work.
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    starters = (gone.stdout.decode().strip(), str(os.getpid()))
    servers = [subprocess.Popen(["sleep", "60"], env=os.environ | {server._STARTER: one}) for one in starters]
    try:
        server.start_server()
        assert servers[0].wait(timeout=10) == -9
        assert servers[1].poll() is None
        assert server._STARTER not in os.environ
    finally:
        for process in servers:
            process.kill()
            process.wait()
