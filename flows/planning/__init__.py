"""What a run is going to do: the images that somebody names, a first look at them, and what is decided from it."""
