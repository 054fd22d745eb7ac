"""Answers from a checkpoint folder through transformers."""
