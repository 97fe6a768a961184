"""Weights from the model hub, through its own library and cache."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, cast

from deixis.base.printable import first_line
from deixis.errors import MissingExtraError, ModelFileError
from deixis.weights.watching import Tell, watching

_WEIGHTS, _SHARDS = "model.safetensors", "model-?????-of-?????.safetensors"
_PATIENCE = 10.0  # seconds that the hub may take to say how large something is
_BESIDE = ("*.json", "*.txt", "*.model", "*.jinja")  # settings and vocabularies


class HubFile(NamedTuple):
    """A repository of the hub at a revision (None is its default), or one file of it.

    ``for_transformers``: of a whole repository only what transformers reads.
    """

    repo: str
    revision: str | None
    path: str | None
    for_transformers: bool = False

    @property
    def patterns(self) -> dict[str, list[str]]:
        """What of a whole repository is wanted, in the words of ``huggingface_hub``."""
        if not self.for_transformers:
            return {}
        return {"allow_patterns": [*_BESIDE, _WEIGHTS, _SHARDS], "ignore_patterns": ["*/*"]}


def cached(wanted: HubFile, root: Path, own: Path | None) -> Path | None:
    """Look for what was fetched before; `own` is the hub's cache folder, None its default."""
    if wanted.path is None and not wanted.for_transformers:
        note = _snapshot_note(wanted, root)
        folder = Path(note.read_text("utf-8")) if note.is_file() else None
        return folder if folder is not None and folder.is_dir() else None
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        return None
    path = wanted.path or "config.json"
    local = try_to_load_from_cache(wanted.repo, path, own, wanted.revision)
    if not isinstance(local, str):
        return None
    if wanted.for_transformers:
        folder = Path(local).parent
        return folder if _has_weights(folder) else None
    return Path(local)


def _has_weights(folder: Path) -> bool:
    """Say whether a model's weights are all there, whoever has fetched them."""
    index = folder / f"{_WEIGHTS}.index.json"
    try:
        names = set(json.loads(index.read_bytes())["weight_map"].values())
    except FileNotFoundError:
        names = {_WEIGHTS}
    except (ValueError, KeyError, AttributeError, TypeError):
        return False  # damaged, which whoever reads it says
    return all((folder / name).is_file() for name in names)


def _snapshot_note(wanted: HubFile, root: Path) -> Path:
    # The hub's snapshot folder appears before it is complete; this note is written after.
    name = f"{wanted.repo.replace('/', '--')}@{wanted.revision or 'default'}.complete"
    return root / "hub-snapshots" / name


def fetch(wanted: HubFile, root: Path, own: Path | None, tell: Tell | None) -> Path:
    """Fetch it; raises ModelFileError, and MissingExtraError without ``huggingface-hub``."""
    try:
        from huggingface_hub import errors, hf_hub_download, snapshot_download
    except ImportError as error:
        raise MissingExtraError("huggingface-hub", "hub") from error
    where = wanted.repo + (f"@{wanted.revision}" if wanted.revision else "")
    options = {"revision": wanted.revision, "cache_dir": own}
    options["endpoint"] = os.environ.get("HF_ENDPOINT")  # the library reads it only on import
    try:
        with _watched(wanted, own, tell):
            if wanted.path is not None:
                _reach(wanted)
                return Path(cast(str, hf_hub_download(wanted.repo, wanted.path, **options)))
            folder = Path(cast(str, snapshot_download(wanted.repo, **options, **wanted.patterns)))
        if wanted.for_transformers:
            return folder
        note = _snapshot_note(wanted, root)
        for parent in (root, note.parent):
            parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        note.write_text(str(folder), "utf-8")
        return folder
    except errors.GatedRepoError as error:
        reason = "is gated: accept its terms on its page, then set HF_TOKEN or run: hf auth login"
        raise ModelFileError(f"the hub repository {where} {reason}") from error
    except errors.RepositoryNotFoundError as error:
        reason = "does not exist or is private (then set HF_TOKEN or run: hf auth login)"
        raise ModelFileError(f"the hub repository {where} {reason}") from error
    except errors.RevisionNotFoundError as error:
        raise ModelFileError(f"no revision {wanted.revision} in {wanted.repo}") from error
    except errors.LocalEntryNotFoundError as error:
        reason = "the hub cannot be reached and no copy is on this disk"
        raise ModelFileError(f"cannot fetch {where}: {reason}") from error
    except errors.EntryNotFoundError as error:
        raise ModelFileError(f"no file {wanted.path} in the hub repository {where}") from error
    except (errors.HTTPError, errors.HFValidationError, OSError) as error:
        raise ModelFileError(f"cannot fetch {where}: {first_line(error)}") from error


def _reach(wanted: HubFile) -> None:
    """Ask for a file's head once: the library asks five times, and loudly, where no hub is."""
    from huggingface_hub import errors, get_hf_file_metadata, hf_hub_url

    endpoint = os.environ.get("HF_ENDPOINT")
    try:
        url = hf_hub_url(wanted.repo, str(wanted.path), revision=wanted.revision, endpoint=endpoint)
        get_hf_file_metadata(url, endpoint=endpoint)
    except errors.HfHubHTTPError:
        return  # an answer, which whoever fetches the file sees again
    except (errors.HTTPError, errors.OfflineModeIsEnabled) as error:
        raise errors.LocalEntryNotFoundError(str(error)) from error


@contextmanager
def _watched(wanted: HubFile, own: Path | None, tell: Tell | None) -> Iterator[None]:
    """Tell of the bytes that come, in place of the library's own bars."""
    if tell is None:
        yield
        return
    from huggingface_hub import constants
    from huggingface_hub.utils import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
    )

    size = size_of(wanted)
    folder = Path(own or constants.HF_HUB_CACHE) / f"models--{wanted.repo.replace('/', '--')}"
    silent = are_progress_bars_disabled()
    disable_progress_bars()
    try:
        with watching(folder, tell, lambda: size):
            yield
    finally:
        if not silent:
            enable_progress_bars()


def size_of(wanted: HubFile) -> int | None:
    """Ask the hub how many bytes it has of what is wanted; None if it does not say."""
    try:
        from huggingface_hub import HfApi, errors
        from huggingface_hub.utils import filter_repo_objects
    except ImportError:
        return None
    try:
        api = HfApi(endpoint=os.environ.get("HF_ENDPOINT"))
        about = api.model_info(
            wanted.repo, revision=wanted.revision, files_metadata=True, timeout=_PATIENCE
        )
    except (errors.HTTPError, errors.HFValidationError, OSError):  # told by what fetches
        return None
    files = about.siblings or []
    if wanted.path is not None:
        files = [file for file in files if file.rfilename == wanted.path]
    kept = filter_repo_objects(files, **wanted.patterns, key=lambda file: file.rfilename)
    sizes = [file.size for file in kept]
    return None if None in sizes or not sizes else sum(sizes)
