"""The process in which PDFium works: calls come on its standard input, answers go to its output.

It is a program, `python -m deixis.documents.worker`, and `deixis.documents.process` talks to it.
What a broken or malicious PDF does to PDFium ends here: this process may be killed.
"""

import os
import pickle
from contextlib import suppress
from typing import Any

from deixis.documents.limits import Limits
from deixis.documents.pdfium import PdfFile
from deixis.errors import DeixisError, InputError


def main() -> None:
    """Answer calls, each a name and arguments, until there are no more."""
    with os.fdopen(os.dup(0), "rb") as calls, os.fdopen(os.dup(1), "wb") as answers:
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1):  # what PDFium prints is no answer
            os.dup2(nothing, stream)
        file: PdfFile | None = None
        while True:
            try:
                name, arguments = pickle.load(calls)
            except EOFError:
                return
            try:
                if name == "open":
                    _keep_memory(arguments[-1])
                    file = PdfFile(*arguments)
                    answer: tuple[str, Any] = ("done", file.pages)
                else:
                    answer = ("done", getattr(file, name)(*arguments))
            except DeixisError as error:
                answer = ("error", error)
            except MemoryError:
                answer = ("error", InputError("there is not enough memory for it"))
            except Exception as error:
                answer = ("bug", f"{type(error).__name__}: {error}")
            pickle.dump(answer, answers)
            answers.flush()


def _keep_memory(limits: Limits) -> None:
    """Let this process have no more memory than that; systems without such limits have none."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        most = limits.memory if hard == resource.RLIM_INFINITY else min(limits.memory, hard)
        resource.setrlimit(resource.RLIMIT_AS, (most, hard))


if __name__ == "__main__":
    main()
