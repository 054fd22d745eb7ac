"""Instructions that come with the project, and their loader."""
