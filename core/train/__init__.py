"""Data, chat templates, token batches and the trainer."""
