"""Chat templates by name, for bases that have none, and what a template does to prompts and end tokens."""
