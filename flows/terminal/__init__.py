"""How a run is shown to a person: one live display at a terminal, plain lines elsewhere."""
