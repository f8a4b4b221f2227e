"""Arrays with a row per image, in memory or in a file."""
