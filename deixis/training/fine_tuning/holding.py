"""The folder of a run belongs to one process, and nothing is left of a run that could not begin."""

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from deixis.batch.lock import hold
from deixis.errors import DeixisError, InputError
from deixis.training.fine_tuning.run_folder import LOCK, METRICS


@contextmanager
def held(out: Path) -> Iterator[None]:
    """Hold the folder of a run; take it away again if an error comes before the first step.

    Args:
        out: the folder; made if need be. What was there before is never taken away.

    Raises:
        InputError: another process has it, or it cannot be made.
    """
    ours = not out.exists() or (out.is_dir() and not any(out.iterdir()))
    try:
        out.mkdir(parents=True, exist_ok=True)
        lock = hold(out / LOCK, out)
    except OSError as error:
        raise InputError(f"cannot write into {out}: {error.strerror}") from None
    with closing(lock):
        try:
            yield
        except DeixisError:
            steps = out / METRICS
            if ours and not (steps.is_file() and steps.stat().st_size):
                shutil.rmtree(out)
            raise
