"""Where a model looks: which places of an image speak for what it says."""
