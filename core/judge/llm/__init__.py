"""Asking a language model: endpoints, limits, prices, what was answered before."""
