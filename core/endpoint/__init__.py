"""One model behind an OpenAI-compatible server: requests, limits, keys, and everything that goes wrong."""
