"""Relevance: whether a response addresses its task, by one question to an LLM."""
