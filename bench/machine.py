"""Where and with what was measured."""

from __future__ import annotations

import json
import os
import platform
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.model import MODEL_FILE, ROOT
from bench.site import PEERS, PYODIDE
from tools.assets import sha256_of
from tools.run import run_quietly


def describe_machine() -> dict[str, Any]:
    """Processor, memory, system, and how busy it was."""
    return {
        "kind": f"{platform.system().lower()}-{platform.machine()}-{os.cpu_count()}cores",
        "processor": _first_match("/proc/cpuinfo", r"model name\s*: (.*)") or platform.processor(),
        "int8 instructions": _int8_instructions(),
        "cores": os.cpu_count(),
        "memory": _first_match("/proc/meminfo", r"MemTotal:\s*(.*)"),
        "system": platform.platform(),
        "load average before": list(os.getloadavg()) if hasattr(os, "getloadavg") else None,
    }


def _int8_instructions() -> list[str]:
    """What native onnxruntime may use for int8 and WebAssembly may not."""
    flags = (_first_match("/proc/cpuinfo", r"flags\s*: (.*)") or "").split()
    return sorted({"amx_int8", "avx512_vnni", "avx_vnni"} & set(flags))


def describe_versions() -> dict[str, str]:
    """Everything that takes part but the browser, which tells its own."""
    npm = {"transformers.js": PEERS / "@huggingface" / "transformers"}
    npm["its onnxruntime-web"] = PEERS / "onnxruntime-web"
    npm["@localmode/transformers"] = PEERS / "@localmode" / "transformers"
    npm["pyodide"] = PYODIDE
    npm["our onnxruntime-web"] = ROOT / "node_modules" / "onnxruntime-web"
    python = ("onnxruntime", "tokenizers", "numpy", "flashrank")
    commit = run_quietly(["git", "describe", "--always", "--dirty"], ROOT).stdout.strip()
    return {
        "webrerank": commit,
        **{name: _npm_version(folder) for name, folder in npm.items()},
        **{f"{name} (Python)": version(name) for name in python},
        "Python": platform.python_version(),
        "model sha256": sha256_of(MODEL_FILE),
    }


def _npm_version(folder: Path) -> str:
    package = json.loads((folder / "package.json").read_text(encoding="utf-8"))
    return str(package["version"])


def _first_match(path: str, pattern: str) -> str | None:
    try:
        match = re.search(pattern, Path(path).read_text(encoding="utf-8"))
    except OSError:
        return None
    return match[1].strip() if match else None
