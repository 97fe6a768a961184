"""The command ``deixis merge``: an adapter made part of the model that it was trained on.

Exit codes: 0 done, 2 unusable input or settings.
"""

from pathlib import Path
from typing import Annotated

import typer

from deixis.apps import options, terminal


def merge(
    base: Annotated[
        str,
        typer.Option(
            "--base", metavar="MODEL", help="A folder or OWNER/REPO in Hugging Face format."
        ),
    ],
    adapter: Annotated[
        Path, typer.Option("--adapter", metavar="FOLDER", help="An adapter (LoRA) for that model.")
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="FOLDER", help="The whole model; a new folder.")
    ],
    as_json: options.JsonOption = False,
) -> None:
    """Make an adapter part of its model's weights, for a server such as vLLM.

    FOLDER has all that a model in Hugging Face format has: weights (safetensors, in the precision
    of the model's own), vocabulary, chat template, the processor's and the generation's settings,
    licence files and a model card. transformers:FOLDER answers as transformers:MODEL?adapter= does.
    """
    from deixis.apps import files
    from deixis.training.fine_tuning.merging import merge as write_merged

    files.check_folder(out)
    write_merged(base, str(adapter), out)
    if as_json:
        terminal.print_json({"model": str(out)})
    else:
        typer.echo(f"wrote {out}")
