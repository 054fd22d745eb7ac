"""A rater that knows the right answers of instructions that carry a check."""
