"""Weights from the model hub, through its own library and cache."""

import os
from pathlib import Path
from typing import NamedTuple, cast

from deixis.errors import MissingExtraError, ModelFileError


class HubFile(NamedTuple):
    """A repository of the hub at a revision (None is its default), or one file of it."""

    repo: str
    revision: str | None
    path: str | None


def cached(wanted: HubFile, root: Path, own: Path | None) -> Path | None:
    """Look for what was fetched before; `own` is the hub's cache folder, None its default."""
    if wanted.path is None:
        note = _snapshot_note(wanted, root)
        folder = Path(note.read_text("utf-8")) if note.is_file() else None
        return folder if folder is not None and folder.is_dir() else None
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        return None
    found = try_to_load_from_cache(wanted.repo, wanted.path, own, wanted.revision)
    return Path(found) if isinstance(found, str) else None


def _snapshot_note(wanted: HubFile, root: Path) -> Path:
    # The hub's snapshot folder appears before it is complete; this note is written after.
    name = f"{wanted.repo.replace('/', '--')}@{wanted.revision or 'default'}.complete"
    return root / "hub-snapshots" / name


def fetch(wanted: HubFile, root: Path, own: Path | None) -> Path:
    """Fetch it; raises ModelFileError, and MissingExtraError without ``huggingface-hub``."""
    try:
        from huggingface_hub import errors, hf_hub_download, snapshot_download
    except ImportError as error:
        raise MissingExtraError("huggingface-hub", "hub") from error
    where = wanted.repo + (f"@{wanted.revision}" if wanted.revision else "")
    options = {"revision": wanted.revision, "cache_dir": own}
    options["endpoint"] = os.environ.get("HF_ENDPOINT")  # the library reads it only on import
    try:
        if wanted.path is not None:
            return Path(cast(str, hf_hub_download(wanted.repo, wanted.path, **options)))
        folder = Path(cast(str, snapshot_download(wanted.repo, **options)))
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
        reason = next((line for line in str(error).splitlines() if line.strip()), repr(error))
        raise ModelFileError(f"cannot fetch {where}: {reason}") from error
