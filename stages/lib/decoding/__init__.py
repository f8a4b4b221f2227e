"""Strangers' images, decoded in processes of their own and described."""
