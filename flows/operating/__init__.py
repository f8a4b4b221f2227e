"""Looking after it all: what is in order, and what may go."""
