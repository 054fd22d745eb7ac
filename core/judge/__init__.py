"""Judges: surface metrics, known answers, rubric judges."""
