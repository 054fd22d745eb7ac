"""Asking through an OpenAI-compatible Batch API: send, wait, collect, and go on after any interruption."""
