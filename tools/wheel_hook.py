"""Hatchling asks this what else goes into the wheel: the kernel, for `engine="kernel"` in CPython.

The wheel inside dist/ is made without it (WEBRERANK_SITE=1): a browser loads the kernel before
Python is there, from a file of its own.
"""

import os
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class WheelHook(BuildHookInterface[Any]):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if not os.environ.get("WEBRERANK_SITE"):
            build_data["force_include"]["web/kernel"] = "webrerank/kernel"
