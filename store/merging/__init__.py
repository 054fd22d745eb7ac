"""Uniting two stores: what is the same in both is recognised by content, what is missing is added.

Nothing in the target is changed. What contradicts what the target holds stays out, and is named.
"""
