"""The one exception of the model: text or bytes from outside that are not what they claim to be."""


class Malformed(ValueError):
    """What was read does not follow its grammar.

    `what` names the thing (``digest``, ``tag``), `got` is the offending text, cut to a printable length,
    `expected` says the rule in a few words.  The rooms that read from outside turn it into an error of
    `promote.errors`; it never reaches a user as it is.
    """

    def __init__(self, what: str, got: object, expected: str) -> None:
        self.what = what
        self.got = shown(got)
        self.expected = expected
        super().__init__(f"{what}: got {self.got}, expected {expected}")


def shown(value: object, limit: int = 120) -> str:
    """`value` as one printable line of at most `limit` characters: control characters escaped, the rest cut."""
    text = value if isinstance(value, str) else repr(value)
    text = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text[: limit + 1])
    return text if len(text) <= limit else text[: limit - 1] + "…"
