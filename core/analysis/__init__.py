"""Scores, agreement, tables and figures."""
