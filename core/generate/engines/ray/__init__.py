"""Spreading a generation over a Ray cluster."""
