"""What can be wrong with a suite, found by reading it."""
