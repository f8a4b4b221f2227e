"""How a stage starts, fails and writes. Nothing here shapes a result."""
