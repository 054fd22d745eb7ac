"""The engines: one interface, and what answers behind it."""
