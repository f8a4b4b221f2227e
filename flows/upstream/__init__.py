"""A project of its own and the pipeline that it comes from: begun from it, and brought up to it."""
