"""Programs for those who develop xlit; they are no part of what is installed."""
