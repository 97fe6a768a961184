"""Words of strangers, as they may stand in a message."""


def first_line(error: Exception) -> str:
    """Return the first line of what an exception says, or its form where it says nothing."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), repr(error))


def one_line(words: object, most: int | None = None) -> str:
    """Return words in one printable line: white space and control characters are one space.

    Args:
        words: text, or an exception, which without words of its own is called by its type.
        most: characters of it that are kept; None keeps all.
    """
    text = str(words)
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " for c in text)
    line = " ".join(text.split())
    if not line and isinstance(words, BaseException):
        line = type(words).__name__
    return line[:most]
