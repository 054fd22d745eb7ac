"""Campaigns: planning who scores which responses, watching the progress, and settling disagreements."""
