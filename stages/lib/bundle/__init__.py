"""The directory that a classifier is handed over as, written; `smallset` reads it."""
