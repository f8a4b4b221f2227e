"""One run of the pipeline, and what it leaves."""
