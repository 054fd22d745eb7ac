"""Generating through any OpenAI-compatible server."""
