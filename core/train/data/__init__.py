"""Instruction data: files and data sets of the hub, several formats and languages, mixed and sampled."""
