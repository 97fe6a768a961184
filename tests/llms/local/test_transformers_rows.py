"""Prompts as rows of a batch: what fills them up, which may be joined, what rules each follows."""

from typing import Any

import pytest
import torch
import transformers as hf
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from deixis.llms.answers.reading import parts
from deixis.llms.local.transformers_rows import EachByItsRules, Heard, Row, joined, text_of, written

pytestmark = [pytest.mark.slow, pytest.mark.extra]


def row(*tokens: int, rules: Any = list, **more: Any) -> Row:
    ids = torch.tensor([tokens])
    return Row({"input_ids": ids, "attention_mask": torch.ones_like(ids), **more}, rules)


def test_shorter_prompts_are_filled_up_on_the_left_and_out_of_sight() -> None:
    kinds = [{"mm_token_type_ids": torch.tensor([each])} for each in ([0, 1, 1], [1])]
    patches = [{"pixel_values": torch.full((count, 2), count)} for count in (3, 1)]
    rows = [row(5, 6, 7, **kinds[0], **patches[0]), row(8, **kinds[1], **patches[1])]
    assert rows[0].shape == rows[1].shape and rows[1].length == 1
    inputs = joined(rows, filler=9)
    assert inputs["input_ids"].tolist() == [[5, 6, 7], [9, 9, 8]]
    assert inputs["attention_mask"].tolist() == [[1, 1, 1], [0, 0, 1]]
    assert inputs["mm_token_type_ids"].tolist() == [[0, 1, 1], [0, 0, 1]]
    assert inputs["pixel_values"].tolist() == [[3, 3]] * 3 + [[1, 1]], "one picture after another"


def test_only_prompts_of_one_shape_are_joined() -> None:
    pixels = [torch.zeros(1, 3, *size) for size in ((4, 4), (4, 6))]
    shapes = {row(1, pixel_values=each).shape for each in pixels} | {row(1).shape}
    assert len(shapes) == 3
    assert row(1).shape == row(1, 2, 3).shape


def test_each_row_follows_its_own_rules_until_it_ends() -> None:
    asked: list[tuple[str, list[int]]] = []

    def rule(name: str) -> Any:
        def forbid(tokens: Any, scores: Any) -> Any:
            asked.append((name, tokens[0].tolist()))
            return scores - ord(name)

        return forbid

    rows = [row(7, rules=lambda: [rule("a"), rule("b")]), row(1, rules=lambda: [rule("c")])]
    each = EachByItsRules([*rows, row(2)], ends=[7, 9])
    scores = torch.zeros(3, 4)
    first = each(torch.tensor([[7], [1], [2]]), scores)
    assert first[:, 0].tolist() == [-(97.0 + 98.0), -99.0, 0.0], "7 ends no prompt"
    asked.clear()
    then = each(torch.tensor([[7, 9], [1, 3], [2, 3]]), scores)
    assert asked == [("c", [1, 3])] and then[0].tolist() == [0.0] * 4
    assert scores.tolist() == [[0.0] * 4] * 3


@pytest.mark.parametrize(
    ("tokens", "kept"), [([1, 2, 9, 9, 9], [1, 2, 9]), ([1, 2], [1, 2]), ([8, 9], [8]), ([], [])]
)
def test_what_follows_the_end_was_not_written(tokens: list[int], kept: list[int]) -> None:
    assert written(tokens, ends=[8, 9]) == kept


def test_what_a_failed_pass_has_noted_goes() -> None:
    steps: list[dict[int, float]] = []
    scores = torch.tensor([[0.0, float("-inf"), 0.0]])
    for _ in range(2):
        note = Heard(steps)
        assert note(torch.tensor([[1]]), scores) is scores
        assert note(torch.tensor([[1, 2]]), scores) is scores
    half = pytest.approx(-0.6931, abs=1e-4)
    assert steps == [{0: half, 2: half}] * 2, "what is forbidden is not noted"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("[THINK]no[/THINK]yes<|end|>", "[THINK]no[/THINK]yes"),
        (
            "<|channel|>analysis<|message|>no<|end|><|channel|>final<|message|>yes<|end|>",
            "<|channel|>analysis<|message|>no<|channel|>final<|message|>yes",
        ),
    ],
)
def test_special_tokens_between_thoughts_and_answer_are_kept(text: str, kept: str) -> None:
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    inner = Tokenizer(models.BPE({letter: number for number, letter in enumerate(letters)}, []))
    inner.add_special_tokens(["[THINK]", "[/THINK]", "<|channel|>", "<|message|>", "<|end|>"])
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    marks = ["[THINK]", "[/THINK]", "<|channel|>", "<|message|>"]
    tokenizer = hf.PreTrainedTokenizerFast(
        tokenizer_object=inner, eos_token="<|end|>", extra_special_tokens=marks
    )
    found = text_of(tokenizer(text)["input_ids"], tokenizer)
    assert found == kept and parts(found)[:2] == ("no", "yes")
