"""What a model in this process is shown: messages, pictures and sound, as tensors."""

from collections.abc import Mapping
from typing import Any, Literal

from langchain_core.messages import BaseMessage, convert_to_openai_messages

from deixis.errors import ModelCallError, SettingsError
from deixis.llms.local.transformers_load import Loaded
from deixis.llms.local.transformers_media import picture, sound


def tensors(
    loaded: Loaded,
    messages: list[BaseMessage],
    limits: Mapping[str, int],
    *,
    constrained: bool,
) -> dict[str, Any]:
    """Return what a model reads, on its device; ``input_ids`` is ``(1, T)``.

    Args:
        loaded: the model. One that can only describe is shown the picture of the messages, with
            the prompt that it was trained on; their text is for models that can be talked to.
        messages: as LangChain has them.
        limits: ``min_pixels`` and ``max_pixels``, those that were given.
        constrained: whether a grammar forbids everything but the answer.

    Raises:
        ModelCallError: a block that the model cannot take.
        InputError: a picture that cannot be opened.
        SettingsError: the model knows no such limit.
    """
    asked = conversation(messages, loaded)
    options = _sizes(loaded, limits)
    if loaded.caption is not None:
        blocks = [block for message in asked for block in message["content"]]
        pictures = [block["image"] for block in blocks if block["type"] == "image"]
        if len(pictures) != 1:
            raise ModelCallError(
                "failed", f"this model describes one picture; it was shown {len(pictures)}"
            )
        encoded = loaded.processor(
            images=pictures, text=[loaded.caption], return_tensors="pt", **options
        )
    else:
        if constrained and "enable_thinking" in loaded.processor.chat_template:
            options["enable_thinking"] = False  # the grammar would forbid the thoughts
        encoded = loaded.processor.apply_chat_template(
            asked,
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
            sanitize_control_tokens=True,  # what a text says can never be a turn of its own
            **options,
        )
    model = loaded.model
    return {
        key: value.to(model.device, model.dtype if value.is_floating_point() else None)
        for key, value in encoded.items()
    }


def _sizes(loaded: Loaded, limits: Mapping[str, int]) -> dict[str, Any]:
    """Return how a processor is told to bring pictures to a size."""
    eyes: Any = getattr(loaded.processor, "image_processor", None)
    known = getattr(getattr(eyes, "valid_kwargs", None), "__annotations__", ())
    if unknown := next((limit for limit in limits if limit not in known), None):
        raise SettingsError(f"option {unknown}: the model has no such limit; leave it out")
    if not limits:
        return {}
    return {"processor_kwargs": {"images_kwargs": {"size": size_within(eyes, limits)}}}


def size_within(eyes: Any, limits: Mapping[str, int]) -> dict[str, Any]:
    """Return the size that a part of a processor for pictures has with other limits.

    Args:
        eyes: the part.
        limits: ``min_pixels`` and ``max_pixels``, those that were given.
    """
    names = {"min_pixels": "shortest_edge", "max_pixels": "longest_edge"}
    return {**dict(eyes.size), **{names[limit]: pixels for limit, pixels in limits.items()}}


def conversation(messages: list[BaseMessage], loaded: Loaded) -> list[dict[str, Any]]:
    """Return messages as a chat template takes them, with pictures and sound in their places."""
    # Templates of models that see want blocks everywhere, those of others never.
    form: Literal["block", "string"] = "block" if loaded.sees else "string"
    conversation = convert_to_openai_messages(messages, text_format=form)
    for message in conversation:
        if isinstance(message["content"], list):
            message["content"] = [_block(block, loaded) for block in message["content"]]
    return conversation


def _block(block: dict[str, Any], loaded: Loaded) -> dict[str, Any]:
    if block["type"] == "text":
        return block
    if block["type"] == "input_audio":
        if loaded.ear is None:
            raise ModelCallError(
                "failed", "this model cannot hear; leave the sound out, or name one that does"
            )
        return {"type": "audio", "audio": sound(block["input_audio"]["data"], loaded.ear)}
    if block["type"] != "image_url":
        raise ModelCallError("failed", f"this model takes no content of type {block['type']}")
    if not loaded.sees:
        raise ModelCallError(
            "failed", "this model cannot see; leave the picture out, or name one that does"
        )
    return {"type": "image", "image": picture(block["image_url"]["url"])}
