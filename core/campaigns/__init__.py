"""Campaigns: planning who scores which responses, watching it being done, settling disagreements."""
