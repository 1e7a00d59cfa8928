"""Target tasks: what the pretrained networks are for."""
