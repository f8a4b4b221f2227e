"""How good one model is."""
