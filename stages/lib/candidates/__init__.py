"""Which backbone: the presets to choose from, what each costs, and how good a head on each is."""
