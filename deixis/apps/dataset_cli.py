"""The command line of data sets: ``deixis dataset convert``, ``stats``.

Results go to stdout, what was met on the way to stderr. Exit codes: 0 done, 2 unusable input.
"""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from deixis.apps import document_cli, options, terminal
from deixis.apps.statistics_tables import show_statistics
from deixis.base.atomic import is_stdout
from deixis.errors import InputError

dataset_app = options.group(
    "Turn the field's data sets into files of rows, and count what is in them."
)

_CONVERT = """Turn one split of a data set into a file of rows, one JSON object per line.

SRC is the folder of the release. What was met on the way (orphan tags, names that match no
entity, shared boxes, ...) is counted on stderr; nothing is dropped that is not counted. A file
that does not parse is an error with its name and the line.

NAME and what SRC holds:

gmner: Twitter-GMNER, version 1 or 2. SPLIT.txt or txt/SPLIT.txt (CoNLL: IMGID:ID, then token,
tab, tag) and VOC boxes xml/ID.xml or xml.tar.gz, linked by the exact text of the entity.

fmnerg: Twitter-FMNERG. SPLIT.txt or txt_fine/SPLIT.txt with a third column for the fine type,
and the boxes of Twitter-GMNER version 2 (--boxes if they lie elsewhere).

twitter2015, twitter2017: the CoNLL text alone. MISC is called OTHER; regions are null, for
nobody looked at the pictures.

mner-mi, mner-mi-plus: tweets with several pictures, all of them in `images`. MNER-MI_SPLIT.txt
or MNER-UNI_SPLIT.txt, here or in text, and the pictures in images and twitter2017_images (or
--images). MIS and MISC are called OTHER; regions are null.

smner: Twitter-SMNER. SPLIT.txt as for gmner, and labelme/ID.json (or json/ID.json, or --boxes)
with polygons, labelled with the text of an entity; polygons of one label and one group_id are one
mask. The release has such files; whether its labels are these texts is not known to us: labels
that match no entity are counted.

vkel: what VKEL's committee wrote of the entities of Twitter-FMNERG. SPLIT_MODEL.json of each
model, here or in knowledge, with lines text####[[name, type, ...]]####ID.jpg####{name: answer}.
Entities have testimonies: model, text, and attributes where the answer numbers them.

mmre: M-MRE. The files of gmner and SPLIT.summaries.jsonl with lines {"id", "summary"} and, if
need be, "patches": [{"letter": "a", "box": (four numbers), "entity": (text or null)}]; else the
boxes are lettered in the order of their file. Not publicly released: the format is ours.

muie: grounded MUIE. SPLIT.jsonl with lines {"id", "task": "ner", "re" or "ee", "text", "image",
"audio", "video", "size", "entities": [{"text", "type", "start", "end", "regions", "spans",
"track"}], "relations": [{"subject", "type", "object"}], "events": [{"type", "trigger",
"arguments": [{"role", "entity"}]}]}; subject, object and entity are places in "entities", spans
are seconds, a track is [{"frame", "regions"}]. Not publicly released: the format is ours.

The data sets that the benchmark of MUIE was drawn from, as rows of muie:

twt17: as twitter2017. pascal: PASCAL VOC. Annotations/ID.xml, ImageSets/Main/SPLIT.txt,
JPEGImages.

mnre: MNRE. mnre_SPLIT.txt (or ours_SPLIT.txt), here or in mnre_txt: a pair of names to a line,
those of one tweet become one row; None is no relation.

m2e2: M2E2, and SPLIT is multimedia, text_only or image_only: SPLIT_event.json, or
text_multimedia_event.json, image_multimedia_event.json and crossmedia_coref.txt, here or in
m2e2_annotations; pictures in image (or --images).

vrd: VRD. annotations_SPLIT.json, objects.json, predicates.json; pictures in
sg_dataset/sg_SPLIT_images (or --images).

imsitu: imSitu, or SWiG, which has boxes. SPLIT.json and imsitu_space.json, here or in SWiG_jsons;
pictures in images_512, of500_images_resized or images (or --images).

vidsitu: VidSitu. vseg_ann_files/vsann_SPLIT_lb.json and split_files/vseg_split_SPLIT_lb.json;
clips ID.mp4 in videos (or --images).

m3d: M3D. SPLIT.json (dev_en, test_zh), here or in data/en or data/zh; frames in img/VIDEO_ID.

retacred: Re-TACRED or TACRED. SPLIT.json in TACRED's layout; Re-TACRED's script makes it.

pdf: a PDF, or a folder of them, which needs no split: see the page on documents. Each picture with
its caption and the text beside it becomes a row, and so does what text is left; pictures lie beside
the rows in NAME.media, and `document` says where on which page everything stands.

ace, ace-re, ace-ee: names, relations or events of ACE 2005, which has a licence:
SPLIT.oneie.json, as the preprocessing of OneIE writes it.
"""


@dataset_app.command(help=escape(_CONVERT))
def convert(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Which data set, as listed above.")],
    src: Annotated[Path, typer.Argument(metavar="SRC", help="Folder of the release, or a PDF.")],
    out: Annotated[Path, typer.Option(help="File of rows to write.")],
    split: Annotated[
        str | None, typer.Option(help="Which split: train, dev, valid, test, ...")
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Pictures (or clips) of the rows, to fill `image`."),
    ] = None,
    boxes: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Files of boxes or masks, where they are not in SRC."),
    ] = None,
    pages: document_cli.PagesOption = None,
    max_text: Annotated[
        int | None,
        typer.Option(metavar="N", help="Of a PDF: characters of a row (2000)."),
    ] = None,
    reader: Annotated[
        str | None,
        typer.Option(metavar="TOOL", help="Of a PDF: reads scanned pages (rapidocr); or none."),
    ] = None,
) -> None:
    """Turn one split of a data set into a file of rows; the help is `_CONVERT`."""
    from deixis.evaluation import datasets
    from deixis.rows import write_rows

    own = {"--split": split, "--images": images, "--boxes": boxes}
    others = {"--pages": pages, "--max-text": max_text, "--reader": reader}
    for option, value in (own if name == "pdf" else others).items():
        if value is not None:
            raise InputError(f"{option} has no effect on {name!r}; leave it out")
    if name == "pdf":
        document_cli.convert(src, out, pages, max_text, reader)
        return
    if split is None:
        raise InputError("--split is missing: which split, such as train, dev or test")
    _keep(name, split, out, [path for path in (src, boxes, images) if path])
    rows, counts = datasets.convert(name, src, split, boxes=boxes, images=images, beside=out.parent)
    written = write_rows(out, rows)
    for quirk, number in counts.items():
        typer.echo(f"{number:8}  {quirk}", err=True)
    typer.echo(f"wrote {written} rows to {out}", err=is_stdout(out))


def _keep(name: str, split: str, out: Path, read: list[Path]) -> None:
    """Refuse to write over a part of a release; rows that were written into its folder may be.

    Raises:
        InputError: the output is such a part.
    """
    from deixis.evaluation.datasets import DATASETS

    ending = DATASETS[name].lines if name in DATASETS else ""
    own = bool(ending) and out.name == split + ending
    if not out.is_file() or (out.suffix == ".jsonl" and not own):
        return
    if any(out.resolve().is_relative_to(folder.resolve()) for folder in read):
        raise InputError(f"{out} is a part of the data set; give another --out")


@dataset_app.command()
def stats(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file of rows.")],
    as_json: options.JsonOption = False,
) -> None:
    """Count what a file of rows holds: rows, entities, boxes, types, pictures, summaries.

    Boxes are counted for each mention that has them, and once for each text in a row (distinct).
    """
    from deixis.base.text_files import keep_streams
    from deixis.evaluation.datasets.statistics import StatisticsRow, statistics
    from deixis.rows import read_rows

    keep_streams(file)
    figures = statistics(read_rows(file, StatisticsRow))
    if as_json:
        terminal.print_json(figures)
        return
    show_statistics(figures, str(file))
