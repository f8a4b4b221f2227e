"""What lies among images and is none, and how the reason starts of what is set aside."""

from smallset.images.set_aside import is_film, is_left_over, is_set_aside, summary

__all__ = ["NO_CLASS", "NO_IMAGE", "STRAY", "TABLE", "is_film", "is_left_over", "is_packed", "is_set_aside", "summary"]

TABLE = ".csv"
# How the reason starts of what is set aside: a stray, what is no image by its name, an image without a class.
STRAY = "set aside, does not fit: "
NO_IMAGE = "set aside: no image by its name"
NO_CLASS = "set aside: no class by split.labels "


def is_packed(name: str) -> bool:
    """Whether a file belongs in the raw archive: what may be an image, and tables, which may hold the labels."""
    return not is_set_aside(name) or (name.casefold().endswith(TABLE) and not is_left_over(name))
