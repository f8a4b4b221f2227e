"""What the raw archive holds, each image once, and what is set aside."""
