"""Answers from a GGUF file through llama.cpp."""
