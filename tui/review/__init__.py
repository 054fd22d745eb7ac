"""What reviewing is, without a terminal: scoring rules, column order, and the session that saves."""
