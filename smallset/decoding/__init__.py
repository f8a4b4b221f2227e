"""Strangers' images, decoded where a hostile file ends nothing but its own process."""
