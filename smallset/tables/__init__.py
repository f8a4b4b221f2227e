"""Predictions as a table: on a terminal, and in files of csv, JSON lines and Parquet."""
