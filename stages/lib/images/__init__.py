"""The images of a dataset: their table, and batches of them, read as `smallset/images` reads one."""
