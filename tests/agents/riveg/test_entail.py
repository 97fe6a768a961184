"""RiVEG's entail: how sure a label is counts as it is."""

import json
import math
from typing import Any

import numpy as np
import pytest
from langchain_core.messages import AIMessage

from deixis.agents.context import pictures
from deixis.agents.riveg.entail import entail


@pytest.mark.parametrize("chance", [0.0, 0.25, 0.75])
def test_the_chance_of_a_label_decides_what_it_is_worth(
    toolbox_of: Any, run: Any, mention: Any, chance: float
) -> None:
    label = "entailment"
    shares = {label: chance, "contradiction": 1.0 - chance}
    top = [
        {"token": word, "logprob": math.log(share) if share else -1000.0}
        for word, share in shares.items()
    ]
    tokens = [{"token": '{"e1": "', "logprob": 0.0}, {**top[0], "top_logprobs": top}]
    tokens.append({"token": '"}', "logprob": 0.0})
    reply = AIMessage(
        json.dumps({"e1": label}), response_metadata={"logprobs": {"content": tokens}}
    )
    opened = pictures.take_in(np.full((300, 400, 3), 9, np.uint8), 1_000_000)
    state = {
        "text": "Ann",
        "picture": {"sha256": opened.sha256, "width": 400, "height": 300, "source": "array"},
        "mentions": {"e1": mention("Ann")},
        "expressions": {"e1": "Ann (PER) - a tall woman"},
    }
    update = run(entail, state, toolbox_of(lambda *_: reply, entailer="scripted:judge"))
    verdict = update["verdicts"]["e1"]
    assert verdict["groundable"] is (chance >= 0.5) and verdict["probability"] == pytest.approx(
        max(chance, 1 - chance)
    )
