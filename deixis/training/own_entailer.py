"""An entailer of one's own: a head on an image-text model, from rows with pictures.

Platt (1999, "Probabilistic outputs for support vector machines", section 2.1) fits the curve of a
classifier to predictions that it makes of what it has not seen; so it is done here.
"""

import json
import os
import tempfile
from collections.abc import Callable
from inspect import signature
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from deixis.base.atomic import whole_file
from deixis.errors import DataError, MissingExtraError, SettingsError
from deixis.evaluation.metrics.mner import expected_calibration_error
from deixis.settings import Spec
from deixis.tools import registry as tools
from deixis.tools.image_text_head import BASES, FORMAT, Floats, Head
from deixis.training.fitting import platt
from deixis.training.image_text_features import Table, table_of
from deixis.training.own_folder import check_out, hashes, put, write_card, write_run
from deixis.training.phrased_rows import read_looks
from deixis.weights.fingerprints import fingerprint

FOLDS = 5
FEWEST = 20
"""Pictures from which anything is learned at all."""
STRENGTHS = (0.001, 0.01, 0.1, 1.0, 10.0)
"""Inverses of the L2 penalty that are tried."""
_OPTIONS = ("weights", "device", "dtype")

_CARD = """# An entailer

Made by `deixis train entailer`: a logistic regression of {weights} weights on features of `{base}`,
which it does not hold. It learned from {asked} expressions asked of {pictures} pictures, {shown} of
which are shown.

Use it with `--role entailer=image-text-head:FOLDER`, where FOLDER is this one; in the graph main,
which weighs how often such mentions are shown by itself, `image-text-head:FOLDER?base_rate=0.5`.

On pictures that were held out (five folds): AUC {auc:.3f}, and that of the model's own cosine is
{cosine:.3f}; calibration error {error:.3f}; {accuracy:.1f}% of its verdicts are right.

Weights are in `head.npz`, plain numbers; nothing here is run when it is read.
"""


class EntailerOrder(NamedTuple):
    """What is to be trained.

    Attributes:
        rows: file of rows with pictures and regions.
        out: folder to write; it is not there yet, or empty.
        phrases: results whose expressions are asked; None for those of the rows.
        base: spec of the image-text model: ``siglip:...`` or ``clip:...``.
    """

    rows: Path
    out: Path
    phrases: Path | None = None
    base: str = "siglip"


class TrainedEntailer(NamedTuple):
    """What came of it, on pictures that were held out; ``cosine`` is the AUC of the model's own."""

    pictures: int
    asked: int
    shown: int
    left_out: dict[str, int]
    auc: float
    cosine: float
    accuracy: float
    error: float


def train_own_entailer(
    order: EntailerOrder, told: Callable[[int, int], None] = lambda *_: None
) -> TrainedEntailer:
    """Train a head on rows, and write its folder.

    Args:
        order: what is to be trained.
        told: is told how many of how many pictures are looked at.

    Raises:
        DataError, InputError: as `read_looks` and `table_of`; too few pictures; ``out`` is there.
        SettingsError: the base is no image-text model, or has options that have no effect.
        MissingExtraError, ModelFileError: the base cannot be had.
    """
    try:
        __import__("sklearn")
    except ImportError:
        raise MissingExtraError("scikit-learn", "train") from None
    check_out(order.out)
    read = hashes(rows=order.rows, phrases=order.phrases)
    looks = read_looks(order.rows, order.phrases)
    base = _base_of(order.base)
    table = table_of(looks, tools.load(order.base, "entailer"), order.base, told)
    head, trained = fit(table)
    about = {**base, "fingerprint": fingerprint(tools.load(order.base, "entailer").files())}
    order.out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=order.out.parent) as scratch:
        made = Path(scratch) / "made"
        _write(made, head, about)
        write_run(made, read, {"base": order.base}, trained._asdict())
        figures = {**trained._asdict(), "accuracy": 100 * trained.accuracy}
        card = _CARD.format(weights=len(head.weights), base=order.base, **figures)
        write_card(made, card)
        put(made, order.out)
    return trained


def fit(table: Table) -> tuple[Head, TrainedEntailer]:
    """Fit a head to features, and say how it does on pictures that were held out.

    Raises:
        DataError: there are too few pictures.
    """
    from sklearn.metrics import roc_auc_score

    different = sorted(set(table.pictures))
    if len(different) < FEWEST:
        raise DataError(f"{len(different)} pictures to learn from, and {FEWEST} are the fewest")
    order = np.random.default_rng(0).permutation(len(different))
    fold_of = dict(zip(different, (int(place) % FOLDS for place in order), strict=True))
    fold = np.array([fold_of[picture] for picture in table.pictures])
    shown = np.array(table.shown)
    crossed = {c: _held_out(table.features, shown, fold, c) for c in STRENGTHS}
    strength = min(STRENGTHS, key=lambda c: _loss(crossed[c], shown))
    raw = 1 / (1 + np.exp(-crossed[strength]))
    curve = platt(list(raw), list(shown))
    weights, offset = _fit(table.features, shown, strength)
    calibration = curve["slope"], curve["offset"]
    rate = float(np.clip(shown.mean(), 0.01, 0.99))
    head = Head(np.round(weights, 6), round(offset, 6), calibration, rate)
    # As the head itself makes probabilities of scores: held-out ones stand for its features.
    stated = Head(np.ones(1), 0.0, calibration, rate).probabilities(crossed[strength][:, None])
    trained = TrainedEntailer(
        pictures=len(different),
        asked=len(shown),
        shown=int(shown.sum()),
        left_out=table.left_out,
        auc=round(float(roc_auc_score(shown, crossed[strength])), 4),
        cosine=round(float(roc_auc_score(shown, table.features[:, 0])), 4),
        accuracy=round(float(((np.array(stated) >= 0.5) == shown).mean()), 4),
        error=round(expected_calibration_error(stated, shown), 4),
    )
    return head, trained


def _held_out(features: Floats, shown: Any, fold: Any, strength: float) -> Floats:
    """Return the score of each phrase by a head that has not seen its picture."""
    scores = np.zeros(len(shown))
    for apart in range(FOLDS):
        rest = fold != apart
        if len(set(shown[rest])) == 2 and not rest.all():
            weights, offset = _fit(features[rest], shown[rest], strength)
            scores[~rest] = features[~rest] @ weights + offset
    return np.clip(scores, -30.0, 30.0)


def _fit(features: Floats, shown: Any, strength: float) -> tuple[Floats, float]:
    """Fit a regression to columns of like size; return the weights of the columns as they are."""
    from sklearn.linear_model import LogisticRegression

    sizes = features.std(axis=0)
    sizes = np.where(sizes > 1e-9, sizes, 1.0)
    middle = features.mean(axis=0)
    model = LogisticRegression(C=strength, max_iter=2000).fit((features - middle) / sizes, shown)
    weights: Floats = model.coef_[0] / sizes
    return weights, float(model.intercept_[0] - middle @ weights)


def _loss(scores: Floats, shown: Any) -> float:
    return float(np.logaddexp(0.0, np.where(shown, -scores, scores)).mean())


def _base_of(given: str) -> dict[str, str]:
    """Return the tool and the weights that a spec names, as a head keeps them."""
    spec = Spec.parse(given)
    if spec.provider not in BASES:
        raise SettingsError(
            f"--base {given}: a head is trained on siglip or clip, such as siglip:OWNER/REPO"
        )
    needless = [name for name in spec.options if name not in _OPTIONS]
    if needless:
        raise SettingsError(f"--base {given}: option {needless[0]} has no effect; leave it out")
    default = signature(BASES[spec.provider]).parameters["weights"].default
    weights = spec.name or spec.options.get("weights", default)
    local = Path(weights).expanduser()
    return {
        "tool": spec.provider,
        "weights": os.path.abspath(local) if local.exists() else weights,
    }


def _write(folder: Path, head: Head, base: dict[str, str]) -> None:
    slope, offset = head.calibration
    settings = {
        "format": FORMAT,
        **base,
        "offset": head.offset,
        "calibration": {"slope": slope, "offset": offset},
        "base_rate": head.base_rate,
    }
    with whole_file(folder / "head.json") as file:
        file.write((json.dumps(settings, indent=1) + "\n").encode())
    with whole_file(folder / "head.npz") as file:
        np.savez(file, weights=head.weights.astype(np.float32))
