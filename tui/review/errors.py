"""What can be wrong with a stretch of a response, and how badly: the words of error spans.

The categories and severities are those of MQM (Multidimensional Quality Metrics, themqm.org) as far as they
fit answers to instructions, which have no source text: a switch of language stands on its own, since it is
what the reviewers of cross-lingual transfer look for.
"""

CATEGORIES = (
    ("accuracy", "says something that is not true, or does not fit the context"),
    ("language-switch", "another language without a good reason"),
    ("grammar", "agreement, case, tense, word order"),
    ("spelling", "misspelt words, invented words, wrong script"),
    ("terminology", "a wrong word, or one that nobody uses"),
    ("style", "clumsy, unidiomatic, wrong register"),
    ("logic", "contradicts itself or does not follow"),
    ("repetition", "says again what it said"),
    ("harm", "unethical, dangerous or offensive"),
)

SEVERITIES = (
    ("minor", "noticed, but the meaning is clear"),
    ("major", "misleads, or makes it hard to understand"),
    ("critical", "makes the response useless or dangerous"),
)
