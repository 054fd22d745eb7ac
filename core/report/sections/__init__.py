"""The parts of a report, each from its numbers."""
