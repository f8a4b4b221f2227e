"""Prefect's runner of scheduled runs, made to end what it has started before it ends itself.

Prefect's own leaves the stages of a run at work when it is told to go (3.8.8), and the run "Running" for good.
"""

import asyncio
import logging
import os
import signal
import sys
import threading
from contextlib import suppress
from typing import Any

import psutil
from prefect.deployments.runner import RunnerDeployment
from prefect.runner import Runner

from flows.execution.signals import ENDING, FROM_TERMINAL

# One at work, and one that finds it at work and is skipped.
_AT_ONCE = 2
_OWN_ACCORD = 15.0  # seconds for runs that Ctrl-C has reached too
_GRACE = 60.0  # seconds for a run to end its stages, which have 15, to say so, and to tell the outside
_LAST = 10.0  # seconds for Prefect to write down what became of them


class RunsEnd(Runner):
    """Serves deployments until a signal, then ends their runs, each of which ends its stages."""

    ended_by = 0  # the signal

    async def start(self, run_once: bool = False, webserver: bool | None = None) -> None:
        """Serve; returns once a signal has come and all runs have ended."""
        loop = asyncio.get_running_loop()
        self._main = asyncio.current_task()
        for number in FROM_TERMINAL:
            if sys.platform == "win32":
                # No loop takes signals there.
                signal.signal(number, lambda found, _: loop.call_soon_threadsafe(self._leave, found))
            else:
                loop.add_signal_handler(number, self._leave, number)
        try:
            await super().start(run_once, webserver)
        except asyncio.CancelledError:
            if not self.ended_by:
                raise

    def handle_sigterm(self, *_: Any) -> None:
        """Do as for every other signal; Prefect registers this for SIGTERM."""
        self._leave(signal.SIGTERM)

    def _leave(self, number: int) -> None:
        if self.ended_by:
            # It takes some seconds; nothing is to be cut short.
            return
        self.ended_by = number
        logging.getLogger("prefect.runner").warning("ending: stages are ended first, finished ones are kept")
        # No further run is begun.
        self.stopping = self._scheduled_run_poller.stopping = True
        loop = self._main.get_loop() if self._main else asyncio.get_running_loop()
        threading.Thread(target=self._end_runs, args=(number, loop), daemon=True).start()

    def _end_runs(self, number: int, loop: asyncio.AbstractEventLoop) -> None:
        try:
            end_below(_OWN_ACCORD if number == signal.SIGINT else 0.0)
            # The loop sees that the processes are gone, and what is still "Running" of theirs becomes "Crashed".
            asyncio.run_coroutine_threadsafe(self._settled(), loop).result(_LAST)
        except (psutil.Error, OSError, TimeoutError) as error:
            logging.getLogger("prefect.runner").warning("ending: %s", error)
        finally:
            if self._main:
                loop.call_soon_threadsafe(self._main.cancel)

    async def _settled(self) -> None:
        while self._flow_run_process_map:
            await asyncio.sleep(0.2)


def end_below(patience: float) -> None:
    """End every process below this one: runs by SIGTERM, which end their stages; what is left then, at once.

    Args:
        patience: seconds in which they may end by themselves.
    """
    own = psutil.Process(os.getpid())
    runs, everything = own.children(), set(own.children(recursive=True))
    _, alive = psutil.wait_procs(runs, timeout=patience)
    for run in alive:
        with suppress(psutil.Error):
            everything.update(run.children(recursive=True))
            run.terminate()
    psutil.wait_procs(alive, timeout=_GRACE)
    for process in everything | set(own.children(recursive=True)):
        with suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(everything, timeout=_LAST)


def serve_until_signal(made: RunnerDeployment) -> int:
    """Register a deployment and carry out its runs; returns the signal that ended it."""
    # Not paused when this ends: what comes due until it is back is then made up for.
    runner = RunsEnd(pause_on_shutdown=False, limit=_AT_ONCE)
    runner.add_deployment(made)
    before = {number: signal.getsignal(number) for number in ENDING}
    try:
        asyncio.run(runner.start())
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return runner.ended_by
