"""A project of one's own and the pipeline that it comes from: begun from it, and brought up to it."""
