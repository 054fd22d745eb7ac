"""Import and export: every format that comes in or goes out, one file each."""
