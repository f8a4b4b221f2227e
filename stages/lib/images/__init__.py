"""From the bytes of an image to its pixels; the table of the images of a dataset."""
