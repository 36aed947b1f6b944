"""The JSON module that python-socketio is given: msgspec in the shape of the standard library's."""

from typing import Any

import msgspec


class WireJson:
    """`NaN`, bad UTF-8 and lone surrogates are errors here, as on the server."""

    @staticmethod
    def dumps(data: Any, **_options: object) -> str:
        return msgspec.json.encode(data).decode()

    @staticmethod
    def loads(raw: str | bytes, **_options: object) -> Any:
        try:
            return msgspec.json.decode(raw)
        except (msgspec.DecodeError, RecursionError) as error:
            raise ValueError(str(error)) from error
