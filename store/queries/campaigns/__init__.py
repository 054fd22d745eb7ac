"""Campaigns: what may be scored, who scores what in which order, how far they are, and who they are."""
