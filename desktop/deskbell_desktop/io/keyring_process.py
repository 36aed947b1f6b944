"""One question to the system's keyring, answered by a process that then ends: what a keyring loads, a dozen MiB of
cryptography and plug-ins, would otherwise stay for as long as the bell stands in the tray.

JSON on stdin, `[act, service, entry]` or `[act, service, entry, token]`; JSON on stdout, one key: `token` (null when
there is none), `absent`, or `problem`. A token stands in no argument and no environment.
"""

import json
import os
import sys
from typing import Any

ACTS = {"get": "get_password", "set": "set_password", "delete": "delete_password"}


def main() -> None:
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # a keyring that writes to stdout must not answer for us
    act, *words = json.load(sys.stdin)
    json.dump(answer(act, words), out)
    out.close()


def answer(act: str, words: list[str]) -> dict[str, Any]:
    try:
        keyring = trusted_keyring()
        return {"absent": True} if keyring is None else {"token": getattr(keyring, ACTS[act])(*words)}
    except Exception as error:  # noqa: BLE001 - keyrings raise KeyringError, D-Bus and OS errors, anything
        return {"problem": str(error).strip() or type(error).__name__}


def trusted_keyring() -> Any:
    """The best keyring that encrypts, or none; others than keyring's own may write plain text."""
    import keyring
    from keyring.backends.chainer import ChainerBackend

    chosen = keyring.get_keyring()
    candidates = list(chosen.backends) if isinstance(chosen, ChainerBackend) else [chosen]
    trusted = (backend for backend in candidates if type(backend).__module__.startswith("keyring.backends."))
    return next((backend for backend in trusted if backend.priority >= 1), None)


if __name__ == "__main__":
    main()
