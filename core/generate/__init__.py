"""One interface to the engines that generate responses."""
