"""How good a procedure is, rather than one model: repeated cross-validation, and what more images would bring."""
