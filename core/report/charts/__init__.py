"""The charts of a report, one file a kind."""
