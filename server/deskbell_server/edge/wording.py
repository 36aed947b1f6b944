"""What the validator found, in plain words that name the field: how every door tells a client what it got wrong."""

import re
import unicodedata
from typing import get_args

import msgspec

from deskbell_protocol.errors import Code
from deskbell_protocol.wire import Priority
from deskbell_server.errors import RefusedError

_KINDS = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}
_CHOICES = {"priority": get_args(Priority)}
_EXAMPLES = {"to": 'a list of names, such as ["bob", "@ops"]'}
_FORMS = {"url": "an address, such as https://example.org/builds/218"}
_PLACE = re.compile(r"^(.*?)(?: - at `\$(.*)`)?$", re.DOTALL)
_MISSING = re.compile(r"^Object missing required field `(.*)`$", re.DOTALL)
_UNKNOWN = re.compile(r"^Object contains unknown field `(.*)`$", re.DOTALL)
_LENGTH = re.compile(r"^Expected `(str|array)` of length (>=|<=) (\d+)$")
_BOUND = re.compile(r"^Expected `int` (>=|<=) (-?\d+)$")
_KIND = re.compile(r"^Expected `([a-z |]+)`, got `([a-z]+)`$")
_SHOWN_MAX = 60


def refused(problem: msgspec.ValidationError) -> RefusedError:
    """`invalid`, with a sentence for the one who wrote the request."""
    return RefusedError(Code.INVALID, sentence(str(problem)))


def sentence(found: str) -> str:
    """The validator's `found` as one line, such as "body must be a text"."""
    match = _PLACE.match(found)
    what, path = (match[1], match[2] or "") if match else (found, "")
    where = _field(path)
    if missing := _MISSING.match(what):
        return f"{_inside(where, missing[1])} is missing"
    if unknown := _UNKNOWN.match(what):
        return f"{_inside(where, _shown(unknown[1]))} is not known here"
    return f"{where or 'this'} {_rule(what, where)}"


def _rule(what: str, field: str) -> str:
    if length := _LENGTH.match(what):
        return _length(length[1], length[2], int(length[3]))
    if bound := _BOUND.match(what):
        return f"must be {bound[2]} or {'more' if bound[1] == '>=' else 'less'}"
    if field in _CHOICES:
        return f"must be one of {', '.join(_CHOICES[field])}"
    if field in _FORMS and what.startswith("Expected `str` matching"):
        return f"must be {_FORMS[field]}"
    if field in _EXAMPLES and _KIND.match(what):
        return f"must be {_EXAMPLES[field]}"
    if kind := _KIND.match(what):
        return f"must be {' or '.join(_KINDS.get(name, name) for name in kind[1].split(' | '))}"
    return "is not understood"


def _length(kind: str, sign: str, number: int) -> str:
    if (sign, number) == (">=", 1):
        return "must not be empty"
    unit = "character" if kind == "str" else "entrie"
    many = f"{number} {unit}s" if number != 1 else f"{number} {'entry' if kind == 'array' else unit}"
    return f"must have at {'least' if sign == '>=' else 'most'} {many}"


def _field(path: str) -> str:
    """`.to[0]` is "to[0]"; a key that a client chose is "[...]", and stays so."""
    return path.removeprefix(".")


def _inside(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _shown(name: str) -> str:
    """A name that a stranger chose, on one line and not longer than a name."""
    clean = "".join(char if unicodedata.category(char)[0] not in "CZ" or char == " " else "\ufffd" for char in name)
    return f"“{clean if len(clean) <= _SHOWN_MAX else clean[: _SHOWN_MAX - 1] + '…'}”"
