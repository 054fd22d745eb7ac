"""The generator of the miniature: facts, suite, instruction data and the tiny base checkpoint."""
