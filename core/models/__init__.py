"""The doors to a checkpoint: loading it whole, the tokens that end its answers, and merging an adapter."""
