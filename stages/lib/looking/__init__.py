"""A first look at images before any stage works: what they are, and whether the stages could read them."""
