"""A language model as the judge: one loop of questions, asked directly, in batches, or of a local model."""
