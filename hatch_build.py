"""The wheel's build: brings in socket.io-client for the web pages, which is not in the repository (`vendor.py`)."""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

EDITABLE = "editable"
"""Installed from a checkout, whose set-up (`dev.py`) brings it."""


class BuildHook(BuildHookInterface[Any]):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling calls it so
        if version == EDITABLE:
            return
        root = Path(self.root)
        if str(root) not in sys.path:
            sys.path.insert(0, str(root))
        import vendor

        vendor.bring(folder=root / vendor.WEB.relative_to(vendor.ROOT))
