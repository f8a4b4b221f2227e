"""The report, a file per section."""
