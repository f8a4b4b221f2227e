"""`smallset predict`, `verify` and `serve`: the commands that need nothing of the pipeline."""
