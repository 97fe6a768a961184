"""A short phrase as the reply of a language model.

The schema asks for plain words and numbers, which a grammar-constrained model then cannot
leave (small ones fall into identifiers and endless lists); what a reply may hold is wider,
since a model that is free to choose need not be asked again for a bracket.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field

from deixis.base.printable import one_line

DASH = " – "  # noqa: RUF001 (as RiVEG writes it)
"""What stands between the name and the phrase of a referring expression."""
OBJECT = ConfigDict(extra="forbid", protected_namespaces=())
"""How the objects asked for are: no unknown keys, and no name that pydantic keeps to itself."""

_WORD = r"(\p{L}{1,16}([-']\p{L}{1,16})?|\d{1,4})"


def described(expressions: Mapping[str, str]) -> dict[str, str]:
    """Return entity to description: its referring expression without the name."""
    return {
        entity: expression.partition(DASH)[2] or expression
        for entity, expression in expressions.items()
    }


def phrase(most_words: int, least_words: int = 1) -> Any:
    """Return the type of a string field that holds a phrase of so many words."""
    between = f"{{{least_words - 1},{most_words - 1}}}"
    longest = 14 * most_words

    def tidy(text: str) -> str:
        joined = one_line(text)
        return joined if len(joined) <= longest else joined[:longest].rpartition(" ")[0]

    schema: dict[str, Any] = {"pattern": f"^{_WORD}(,? {_WORD}){between}$"}
    return Annotated[str, AfterValidator(tidy), Field(json_schema_extra=schema)]
