"""What it takes to test a graph without a model, a key or a network.

`scripted` plays the language models inside the process, `openai_server` plays a server that
speaks OpenAI's protocol, `transcription_server` one that writes speech down, and `tools` puts
ready results in the place of detectors and readers.
"""

from deixis.testing.filling import fill
from deixis.testing.loopback import Request, Response, Server, serving
from deixis.testing.model import scripted, with_scripted_models
from deixis.testing.openai_protocol import OpenAIServer, completion, fault, openai_server
from deixis.testing.replies import INPUT_TOKENS, OUTPUT_TOKENS, After, Cut, Question, Refused
from deixis.testing.stand_ins import tools
from deixis.testing.transcription_protocol import (
    TranscriptionProtocol,
    transcription,
    transcription_server,
)

__all__ = [
    "INPUT_TOKENS",
    "OUTPUT_TOKENS",
    "After",
    "Cut",
    "OpenAIServer",
    "Question",
    "Refused",
    "Request",
    "Response",
    "Server",
    "TranscriptionProtocol",
    "completion",
    "fault",
    "fill",
    "openai_server",
    "scripted",
    "serving",
    "tools",
    "transcription",
    "transcription_server",
    "with_scripted_models",
]
