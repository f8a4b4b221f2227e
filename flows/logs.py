"""Logs without secrets: of Prefect, of DVC, of every library in this process."""

import logging
import traceback
from typing import Any

from safety.text import redacted


def redact_logs() -> None:
    """Take secrets out of every record and traceback that is logged from now on; again it does nothing."""
    made = logging.getLogRecordFactory()
    if getattr(made, "is_redacting", False):
        return

    def redacting(*arguments: Any, **options: Any) -> logging.LogRecord:
        record = made(*arguments, **options)
        try:
            record.msg, record.args = redacted(record.getMessage()), ()
        except (TypeError, ValueError):
            # A message that does not fit its arguments: logging itself complains of it.
            return record
        if record.exc_info and record.exc_info[0]:
            # What a formatter takes rather than format it anew.
            record.exc_text = redacted("".join(traceback.format_exception(*record.exc_info)).rstrip("\n"))
        return record

    redacting.is_redacting = True  # type: ignore[attr-defined]
    logging.setLogRecordFactory(redacting)
