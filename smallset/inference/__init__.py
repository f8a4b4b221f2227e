"""A bundle read, its model run, and what it says of images."""
