"""The rubric judge: a language model scores responses on criteria."""
