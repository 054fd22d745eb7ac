"""Metrics that need no judge: the language of a response and its spelling."""
