"""A rater that knows the right answers."""
