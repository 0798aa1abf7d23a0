"""The brackets in the text of a JSONPath."""

from expediter.asl.errors import PathInvalid


def nesting(text: str) -> int:
    """How many brackets of a path are open at once, at most."""
    opened = most = 0
    for char in text:
        opened += (char in "[(") - (char in "])")
        most = max(most, opened)
    return most


def closing(text: str, at: int) -> int:
    """The ``]`` that belongs to the ``[`` at ``at``, past quotes and nested brackets."""
    depth, quote, here = 0, "", at
    while here < len(text):
        char = text[here]
        if quote:
            here += char == "\\"
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        else:
            depth += (char == "[") - (char == "]")
            if depth == 0:
                return here
        here += 1
    raise PathInvalid(f"A ']' is missing for '{text[at:]}'")
