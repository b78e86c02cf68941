"""JSON in a shape that a schema says: read strictly, with every fault in our own words.

The validator's messages would hold what was handed in, so sentences go by the schema's keyword instead.
"""

import json
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any, Final

import jsonschema_rs

from api.exchange import strict_json
from register.errors import Fault, Invalid
from register.rules import fault

_RULE_OF: Final[Mapping[str, str]] = {
    "type": "schema.type",
    "required": "schema.required",
    "additionalProperties": "schema.unknown-field",
    "falseSchema": "schema.not-allowed",
    "enum": "schema.enum",
    "const": "schema.const",
    "pattern": "schema.pattern",
    "format": "schema.format",
    "minLength": "schema.min-length",
    "maxLength": "schema.max-length",
    "minItems": "schema.min-items",
    "maxItems": "schema.max-items",
    "uniqueItems": "schema.unique",
}


class Shape:
    """A schema of this folder (JSON Schema, draft 2020-12); formats are asserted."""

    def __init__(self, file_name: str) -> None:
        self.schema: Final = json.loads(resources.files("api.exchange").joinpath(file_name).read_bytes())
        self.validator: Final = jsonschema_rs.Draft202012Validator(self.schema, validate_formats=True, offline=True)
        self._fields = frozenset(_fields(self.schema))

    def read(self, data: bytes) -> Any:
        """Return what `data` says: one JSON text, UTF-8, at most 1 MiB, white space around it allowed.

        Texts come out in Unicode normalisation form C.

        Raises:
            Invalid: it is not of this shape; every fault with JSON pointer and rule (`register.rules`), never with a
                value. The name of an unknown field is not shown either: its pointer is that of the object which has it.
        """
        value = strict_json.read(data, fields=self._fields)
        if not self.validator.is_valid(value):
            raise Invalid(dict.fromkeys(self._faults(value)))
        return value

    def _faults(self, value: Any) -> Iterator[Fault]:
        # Faults that the validator finds along two paths are equal here, and are named once.
        for error in self.validator.iter_errors(value):
            keyword = error.kind.name
            pointer = "".join(f"/{part}" for part in error.instance_path)
            if keyword == "required":
                yield fault(f"{pointer}/{error.kind.value}", "schema.required")
            else:
                yield fault(pointer, _RULE_OF[keyword], expected=_expected(error.kind.value))


def _fields(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        yield from schema.get("properties", ())
        for part in schema.values():
            yield from _fields(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from _fields(part)


def _expected(limit: Any) -> str:
    """Return a keyword's value in words; it comes from the schema, never from what was handed in."""
    return ", ".join(limit) if isinstance(limit, list) else str(limit)
