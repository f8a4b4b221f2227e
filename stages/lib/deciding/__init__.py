"""When a model does not know: limits chosen on validation images, and measured on test images."""
