"""Suites: the instructions that come with the project, and how suites are read, checked and written."""
