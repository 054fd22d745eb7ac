"""Translating instruction data: by a sequence-to-sequence model, a chat model, or a server; resumable."""
