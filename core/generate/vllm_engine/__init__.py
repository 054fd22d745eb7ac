"""Answers from a checkpoint folder through vLLM, in this process."""
