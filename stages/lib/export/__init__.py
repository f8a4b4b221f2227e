"""A model as files for other runtimes, each tried on every test image before it is left."""
