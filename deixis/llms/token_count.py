"""How many tokens a text has, about, where no tokenizer of the model is at hand."""

import re
from math import ceil

_PIECE = re.compile(r"[^\W\d_]+|\d{1,3}|[^\w\s]+|_+|\n+")
_LETTERS = 7  # of a piece of a word, in a language that is written as English is
_OTHERS = 3  # of one in another alphabet
_IDEOGRAPHS = "\u2e80"


def about_tokens(text: str) -> int:
    """Return about how many tokens a tokenizer of byte pairs makes of a text.

    Words, groups of three digits and runs of punctuation are counted, as such tokenizers cut a text
    before they merge; of long words every seven letters count. Against o200k_base (OpenAI), on
    prompts, schemas and replies of the committee and the voter about 60 tweets: 1.05, 1.00 and
    0.98 of its tokens; of the tweets alone 0.90.
    """
    count = 0
    for piece in _PIECE.findall(text):
        if len(piece) <= _OTHERS and piece < _IDEOGRAPHS:
            count += 1
        elif piece.isascii():
            count += ceil(len(piece) / _LETTERS) if piece.isalpha() else 1
        else:
            count += len(piece) if max(piece) >= _IDEOGRAPHS else ceil(len(piece) / _OTHERS)
    return count
