"""One DVC project: its git, its graph, its parameters, its cache."""
