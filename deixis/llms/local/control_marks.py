"""Marks by which chat templates and tokenizers steer a model, made plain where a text has them.

``<|im_end|>`` in a post ends the user's turn if it is read as the token of that name, and what
follows can forge another. With a space after its first character it is text, in which a model
still sees what was there: ``< |im_end|>``. What a model repeats is put back as it was written.
"""

import re
from collections.abc import Iterable

_THOUGHTS = r"</?(?:think|thinking|thought|reasoning)>"
# Written out where a name could be an ordinary tag: those of HTML and of our own formats stay.
_NAMES = (
    r"s|unk|pad|bos|eos|mask|cls|sep|sop|eop|eot|eod|image|img|video|audio|__media__|endoftext"
    r"|tools?|tool_\w+|function_calls?|arg_(?:key|value)|(?:start|end)_of_\w+|fim_\w+|image_\w+"
    r"|im_(?:start|end|sep|user|assistant|system)|\w{1,20}_token|fake_token_around_image"
    r"|IMG_CONTEXT|(?:hy|longcat|ali)_\w+|_(?:user|bot|system)"
    r"|unused_?\d+|extra_id_\d+|reserved_\w+|SPECIAL_\d+|[A-Z]+_TOKEN|(?:seed|minimax):\w+"
)
_WORDS = (
    r"INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT|MODEL_SETTINGS|ARGS"
    r"|CALL_ID|THINK|IMG|IMG_BREAK|IMG_END|AUDIO|BEGIN_AUDIO|PREFIX|MIDDLE|SUFFIX|BOS|EOS|PAD|UNK"
    r"|CLS|SEP|MASK|gMASK|sMASK|UNUSED_TOKEN_\d+|control_\d+"
)
_KNOWN = "|".join(
    (
        r"<\|[^<>|\n]{1,60}\|?>",  # ChatML, Llama 3, Qwen, Phi, gpt-oss, Command R, Gemma 4
        r"<[\w\"]{1,40}\|>",
        r"<\uff5c[^<>\uff5c\n]{1,60}\uff5c>",  # DeepSeek
        r"\[\|[^\[\]|\n]{1,40}\|\]",  # Exaone
        rf"</?(?:{_NAMES})>",  # Llama 2, Gemma, and models that see or call tools
        rf"\[/?(?:{_WORDS})\]",  # Mistral, GLM, BERT
        r"<</?SYS>>",
        r"\]~!?b[\[\]]|\[e~\[",  # MiniMax
    )
)
_LONGEST = 200  # characters of a mark


class Marks:
    """Makes marks plain, and puts them back.

    Args:
        tokens: marks of one model, beside those of all chat templates that are known.
    """

    def __init__(self, tokens: Iterable[str] = ()) -> None:
        known = re.compile(f"{_KNOWN}|{_THOUGHTS}")
        own = sorted(
            {mark for mark in tokens if 1 < len(mark) <= _LONGEST and not known.fullmatch(mark)},
            key=lambda mark: (-len(mark), mark),
        )
        marks = "|".join([*map(re.escape, own), _KNOWN])
        first = f"[{re.escape(''.join(sorted({'<', '[', ']', *(token[0] for token in own)})))}]"
        # Wherever one begins: they may overlap, and none may be left.
        self._first = re.compile(first)
        self._turns = re.compile(marks, re.DOTALL)
        self._all = re.compile(f"{marks}|{_THOUGHTS}", re.DOTALL)
        self._parted = re.compile(rf"({first}) ", re.DOTALL)

    def plain(self, text: str, *, thoughts: bool = False) -> str:
        """Return a text in which no mark is left.

        Args:
            text: what a model is to read.
            thoughts: leave ``<think>`` as it is, for a prompt that speaks of it.
        """
        marks = self._turns if thoughts else self._all

        def parted(first: re.Match[str]) -> str:
            return f"{first[0]} " if marks.match(text, first.start()) else first[0]

        return self._first.sub(parted, text)  # finds the next one far faster than with a lookahead

    def restored(self, text: str) -> str:
        """Return what a model has written, with marks that it repeats as they were."""
        for _ in range(3):  # one may stand in another
            text = self._parted.sub(self._join, text)
        return text

    def _join(self, match: re.Match[str]) -> str:
        mark = match[1] + match.string[match.end() : match.end() + _LONGEST]
        return match[1] if self._all.match(mark) else match[0]


KNOWN = Marks()
"""The marks of chat templates that are known, for models whose own are not."""
