"""The miniature: facts, suite, instruction data and the tiny base checkpoint of the embedded study."""
