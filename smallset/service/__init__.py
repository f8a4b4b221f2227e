"""A classifier behind HTTP: predictions, the Open Inference Protocol, a page for people, and what operators ask for."""
