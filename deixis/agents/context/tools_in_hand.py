"""The tools of a run, one for each role of a cast, each loaded when first used."""

from typing import Any

from deixis.agents.context.cast import Cast
from deixis.tools import registry as tools
from deixis.tools.base import (
    CaptionEntailer,
    Detector,
    Embedder,
    Entailer,
    Reader,
    Segmenter,
    SpeechSegmenter,
    Tracker,
    Transcriber,
)
from deixis.tools.tagger.base import Tagger


class ToolsInHand:
    """What has a cast has its tools."""

    cast: Cast

    @property
    def tagger(self) -> Tagger:
        """The recognizer, where `Cast.recognizes_by_tagger`."""
        tagger: Tagger = tools.load(self.cast.model("recognizer"), "recognizer")
        return tagger

    @property
    def detector(self) -> Detector | None:
        """Finds objects, or None when the role is left out."""
        detector: Detector | None = self.cast.tool("detector")
        return detector

    @property
    def reader(self) -> Reader | None:
        """Reads writing, or None when the role is left out."""
        reader: Reader | None = self.cast.tool("reader")
        return reader

    @property
    def segmenter(self) -> Segmenter | None:
        """Makes masks, or None when the role is left out."""
        segmenter: Segmenter | None = self.cast.tool("segmenter")
        return segmenter

    def entailer(self, role: str) -> Entailer | None:
        """Says whether descriptions fit a picture; None if nobody plays it, or another kind.

        Args:
            role: the first or the second entailer.
        """
        tool: Any = self.cast.tool(role) if self.cast.is_tool(role) else None
        return tool if hasattr(tool, "entail") else None

    @property
    def caption_entailer(self) -> CaptionEntailer | None:
        """The entailer that reads descriptions; None if nobody plays it, or another kind."""
        tool: Any = self.cast.tool("entailer") if self.cast.is_tool("entailer") else None
        return tool if hasattr(tool, "shown") else None

    @property
    def embedder(self) -> Embedder | None:
        """Says how alike posts are, or None when the role is left out."""
        embedder: Embedder | None = self.cast.tool("embedder")
        return embedder

    @property
    def transcriber(self) -> Transcriber | None:
        """Writes down what is said, or None when the role is left out."""
        transcriber: Transcriber | None = self.cast.tool("transcriber")
        return transcriber

    @property
    def speech_segmenter(self) -> SpeechSegmenter | None:
        """Finds where somebody speaks, or None when the role is left out."""
        segmenter: SpeechSegmenter | None = self.cast.tool("speech_segmenter")
        return segmenter

    @property
    def tracker(self) -> Tracker | None:
        """Follows things through a video, or None when the role is left out."""
        tracker: Tracker | None = self.cast.tool("tracker")
        return tracker
