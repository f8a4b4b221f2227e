"""When and where the stages run: DVC's graph as a Prefect flow, and the command line."""

import os

from flows.execution.proxies import ask_this_machine_directly
from flows.execution.telemetry import SILENT
from flows.logs import redact_logs
from flows.project.site_cache import settle

# Prefect and DVC read these when they are imported, and every module of this package is imported after this one.
_DEFAULTS = {
    **SILENT,
    # Prefect's 20 seconds are too few on a busy machine.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    "PREFECT_LOGGING_FORMATTERS_STANDARD_FLOW_RUN_FMT": "%(asctime)s | %(message)s",
    "PREFECT_LOGGING_FORMATTERS_STANDARD_TASK_RUN_FMT": "%(asctime)s | %(task_run_name)s | %(message)s",
}
for _name, _value in _DEFAULTS.items():
    os.environ.setdefault(_name, _value)
ask_this_machine_directly()
settle()
redact_logs()
