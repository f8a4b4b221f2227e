"""`smallset log`: what stages have printed."""

from collections import deque
from datetime import datetime

from rich.table import Table

from flows.cli.tables import cell
from flows.errors import FlowError
from flows.execution.stage_log import log_file, logged_stages, read_log
from flows.terminal.fitting import fitted
from flows.terminal.tables import print_table
from safety.text import visible

_SHOWN = 80  # columns of a last line


def show_log(stage: str | None) -> None:
    """Print the output of a stage's last run, or without a stage, which outputs are kept.

    Raises:
        FlowError: nothing is kept of this stage, or of any.
    """
    known = logged_stages()
    if not known:
        raise FlowError("no output is kept here yet: `smallset run` keeps that of every stage")
    if stage is None:
        table = Table("stage", "last written", "last line")
        for name in known:
            written = datetime.fromtimestamp(log_file(name).stat().st_mtime)
            table.add_row(
                cell(name),
                f"{written:%Y-%m-%d %H:%M:%S}",
                cell(fitted("".join(deque(read_log(name), maxlen=1)), _SHOWN)),
            )
        print_table(table)
        return
    if stage not in known:
        raise FlowError(f"{stage}: expected a stage that has run here: {', '.join(sorted(known))}")
    for line in read_log(stage):
        print(visible(line))
