"""A report as text in every format, and on the terminal."""
