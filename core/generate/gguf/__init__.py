"""GGUF files: made from a checkpoint, quantised, read."""
