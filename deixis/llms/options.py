"""Options of a model as a spec gives them: known ones only, with JSON where an object is wanted."""

import json
import re
from collections.abc import Mapping, Set
from types import UnionType
from typing import Annotated, Any, NoReturn, Union, get_args, get_origin

from langchain_core.language_models import BaseChatModel

from deixis.base.problems import nearest
from deixis.errors import SettingsError
from deixis.llms.servers.redaction import secret_in

ALWAYS_TIMEOUT = {"request_timeout", "default_request_timeout"}  # SDKs' names for `timeout`
_NOT_OPTIONS = {
    *("model", "model_name", "weights", "max_retries", "retries"),
    *("streaming", "stream_usage", "n", "candidate_count"),  # one whole reply is asked for
    *("http_client", "http_async_client", "http_socket_options"),  # not to be said in words
    *("client", "async_client", "root_client", "root_async_client", "async_client_running"),
    *ALWAYS_TIMEOUT,
}
_PLAIN = (str, int, float)
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")


def checked(
    options: dict[str, str], model: type[BaseChatModel], ours: Set[str] = frozenset()
) -> dict[str, Any]:
    """Return the options if the model has them all; wrappers warn of others, or send them.

    Args:
        options: as a spec gives them; an object or a list is written as JSON.
        model: the wrapper.
        ours: options that it has besides those of the wrapper.

    Raises:
        SettingsError: an unknown option, with the nearest right name; one that is not the JSON
            it should be; a key in one.
    """
    fields = {name: field.annotation for name, field in model.model_fields.items()}
    fields |= {f.alias: f.annotation for f in model.model_fields.values() if f.alias}
    own = set(model.model_fields) - set(BaseChatModel.model_fields)
    aliases = {field.alias for field in model.model_fields.values() if field.alias}
    known = sorted((own | aliases | ours) - _NOT_OPTIONS)
    for name in options:
        if name not in known:
            raise SettingsError(
                f"there is no option {name!r}{nearest(name, known)}; known: {', '.join(known)}"
            )
    return {name: _value(name, value, fields.get(name)) for name, value in options.items()}


def _value(name: str, text: str, wanted: Any) -> Any:
    if _takes(wanted, str) and _takes(wanted, (int, float)) and _NUMBER.fullmatch(text):
        return json.loads(text)  # a number, where a word may stand as well
    objects, lists = _takes(wanted, Mapping), _takes(wanted, (list, tuple, set))
    if text in {"true", "false"} and _takes(wanted, bool):  # or it stays a word where one may be
        return text == "true"
    if not objects and not lists:
        return text
    plain = _takes(wanted, _PLAIN)
    if plain and text.lstrip()[:1] not in {"{", "["}:
        return text
    examples = ['{"name": "value"}'] * objects + ['["value"]'] * lists
    what = f"option {name} takes JSON, such as {' or '.join(examples)}"
    try:
        value = json.loads(text, parse_constant=_refused)
    except (ValueError, RecursionError):
        if plain:
            return text
        raise SettingsError(what) from None
    if not (objects and isinstance(value, dict)) and not (lists and isinstance(value, list)):
        raise SettingsError(what)
    if secret := secret_in(value):  # a spec is shown in results and files
        raise SettingsError(
            f"option {name}: keys stay out of settings; leave out {secret!r} and set the "
            "provider's environment variable"
        )
    return value


def _refused(constant: str) -> NoReturn:
    raise ValueError(constant)


def _takes(wanted: Any, kind: Any) -> bool:
    """Whether a field of this type can hold a value of that kind."""
    origin = get_origin(wanted) or wanted
    if origin is Any:
        return bool(kind == _PLAIN)
    if origin in (Union, UnionType, Annotated):
        return any(_takes(part, kind) for part in get_args(wanted))
    return isinstance(origin, type) and issubclass(origin, kind)
