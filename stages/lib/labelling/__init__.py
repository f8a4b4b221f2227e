"""The class of every image: from folders, names, a csv or a regular expression."""
