"""What the recognizer looks at: strings for each token, numbers for each mention."""

import pytest

from deixis.tools.tagger.features import (
    PRIOR_FEATURES,
    MentionSpan,
    WordEntry,
    normalize,
    prior_features,
    shape,
    token_features,
)


@pytest.mark.parametrize(
    ("token", "low", "form"),
    [
        ("McDonald", "mcdonald", "XxXxx"),
        ("2NE1", "0ne0", "dXXd"),
        ("http…", "<url>", "xx…"),
        ("https://t.co/Ab", "<url>", "xx://x.xx/Xx"),
        ("日本", "日本", "aa"),
    ],
)
def test_normalize_and_shape(token: str, low: str, form: str) -> None:
    assert normalize(token) == low
    assert shape(token) == form


def test_token_features_see_clusters_and_signs() -> None:
    rows = token_features(
        ["RT", "@", "GoBears", "now"],
        {"now": WordEntry(("1", "2"), ()), "bears": WordEntry(("7",), ("L3",))},
    )
    assert "1~11" not in rows[2] and "1~01" in rows[2] and "1~12" in rows[2]
    assert {"a@", "a@ rt", "hgo", "hbears", "q07", "ql07"} <= set(rows[2])
    assert not any(feature.startswith("a@") for feature in rows[3])


def test_prior_features_by_hand() -> None:
    tokens = ["RT", "#", "Ada", "in", "New", "York", "."]
    first, second = prior_features(tokens, [MentionSpan(2, 3, "PER"), MentionSpan(4, 6, "LOC")])
    one, two = (dict(zip(PRIOR_FEATURES, row, strict=True)) for row in (first, second))
    assert one["hashtag"] == one["retweet"] == one["first"] == one["single_word"] == 1.0
    assert two["hashtag"] == two["handle"] == two["first"] == two["single_word"] == 0.0
    assert one["mentions"] == 2 / 8 and one["same_type"] == 1 / 8
    assert two["words"] == 2 / 6 and two["sentence_end"] == 1.0
