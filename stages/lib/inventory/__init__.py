"""What the raw archive holds, each image decoded once and described."""
