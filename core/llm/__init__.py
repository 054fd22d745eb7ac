"""One model behind an OpenAI-compatible server: keys, requests, limits, prices and batches."""
