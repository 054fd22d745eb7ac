"""The report: numbers of a suite as tables and figures, in files and on the terminal."""
