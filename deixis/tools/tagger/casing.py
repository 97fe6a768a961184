"""How a token is written, as a small number: what lower-casing takes from a network."""


def casing(token: str, previous: str, following: str) -> int:
    """Return the class of a token, from 1 on; 0 is for what is no token.

    Args:
        token: not empty.
        previous: the token before it, "" at the beginning of a text.
        following: the token after it, "" at the end.
    """
    if previous in ("@", "#"):
        return 1 if previous == "@" else 2
    if not token[0].isalpha():
        return 3 if token[0].isdigit() else 4
    if token.isupper():
        return 5 if len(token) > 1 else 6
    if token.islower():
        return 7
    if token[0].isupper() and token[1:].islower():
        return 8 if following[:1].isupper() else 9
    return 10
