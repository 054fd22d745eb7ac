"""Uniting the stores of several people or machines in one."""
