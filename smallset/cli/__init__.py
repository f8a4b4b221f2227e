"""`smallset predict` and `smallset verify`: the commands that need nothing of the pipeline."""
