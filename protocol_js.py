"""What the browser must know of the protocol, in its language: `.venv/bin/python protocol_js.py` writes it.

Codes and limits go into a script; the shapes of what is said into declarations beside it, for the type checker alone.
"""

import json
import types
import typing
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

from deskbell_protocol import PROTOCOL_VERSION, limits, wire
from deskbell_protocol.errors import FATAL, FINAL

FILE = Path(__file__).resolve().parent / "resources/deskbell_resources/web/js/protocol.js"
DECLARED = FILE.with_suffix(".d.ts")
HEAD = "// Made by protocol_js.py: change it there."
STRUCTS: tuple[type[Struct], ...] = (
    wire.Party,
    wire.Message,
    wire.ReadMark,
    wire.Membership,
    wire.Event,
    wire.Head,
    wire.SyncAnswer,
)
NAMES: dict[type[Struct], str] = {wire.Event: "LogEvent"}
"""Where the browser has something of the same name."""
PLAIN = {str: "string", int: "number", float: "number", bool: "boolean", types.NoneType: "null", Any: "any"}
CODES = {"FATAL": FATAL, "FINAL": FINAL}


def text() -> str:
    """The whole script; a test says when it is out of date."""
    numbers = {name: value for name, value in vars(limits).items() if name.isupper()}
    known: dict[str, Any] = {"VERSION": PROTOCOL_VERSION, "LIMITS": numbers}
    lines = [HEAD]
    lines += [f"export const {name} = {json.dumps(value)};" for name, value in known.items()]
    lines += [f"export const {name} = new Set({json.dumps(sorted(codes))});" for name, codes in CODES.items()]
    return "\n".join(lines) + "\n"


def declared() -> str:
    """And the declarations."""
    numbers = " ".join(f"{name}: number;" for name in vars(limits) if name.isupper())
    lines = [HEAD, "export const VERSION: number;", f"export const LIMITS: {{ {numbers} }};"]
    lines += [f"export const {name}: Set<string>;" for name in CODES]
    return "\n".join([*lines, *(_interface(struct) for struct in STRUCTS)]) + "\n"


def _interface(struct: type[Struct]) -> str:
    """What has a default is left out on the wire."""
    fields = " ".join(
        f"{field.encode_name}{'' if field.required else '?'}: {_type(field.type)};"
        for field in msgspec.structs.fields(struct)
    )
    return f"export interface {_name(struct)} {{ {fields} }}"


def _name(struct: type[Struct]) -> str:
    return NAMES.get(struct, struct.__name__)


def _type(type_: Any) -> str:
    if type_ in PLAIN:
        return PLAIN[type_]
    origin, args = typing.get_origin(type_), typing.get_args(type_)
    if origin is Literal:
        return " | ".join(json.dumps(value) for value in args)
    if origin in (typing.Union, types.UnionType):
        return " | ".join(map(_type, args))
    if origin is list:
        return f"{_type(args[0])}[]"
    if origin is dict:
        return "any"
    return _name(type_)


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
    DECLARED.write_text(declared(), encoding="utf-8")
