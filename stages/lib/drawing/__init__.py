"""Sample images, drawn."""
