"""Fine-tuning: data, chat templates, token batches and the trainer."""
