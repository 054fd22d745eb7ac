"""Every format that comes in or goes out, one file each."""
