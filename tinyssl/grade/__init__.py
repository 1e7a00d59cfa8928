"""Grading new images with what a comparison has left behind."""
