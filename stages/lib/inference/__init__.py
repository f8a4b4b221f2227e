"""A model run over images, and the table of its predictions."""
