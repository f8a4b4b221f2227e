"""Features of images: what a frozen backbone makes of them, computed once and kept."""
