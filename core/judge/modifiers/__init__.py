"""Whether a response does what the modifier of its instruction demands."""
