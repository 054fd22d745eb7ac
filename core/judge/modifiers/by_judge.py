"""Demands that no rule can count: what an LLM judge (or a person) is asked about them."""

DEMANDS = {
    "scientific": (
        "The response is written the way a scientific text is: an impersonal, matter-of-fact tone, "
        "precise terms of the field, and claims that are argued for rather than advertised."
    ),
    "simple": (
        "A child of about ten can follow the response: everyday words, short sentences, and an "
        "explanation or a comparison wherever a difficult term can't be avoided."
    ),
    "two-hop": (
        "The instruction asks for two things, one after the other. The response does both of them, and "
        "the second one builds on what the first one says."
    ),
}
