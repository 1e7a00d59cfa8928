"""Sets of images side by side: real and generated, original and restored."""
