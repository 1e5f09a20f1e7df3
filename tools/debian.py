"""Packages of Debian's own, where this machine is one and we may install them."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.run import run_quietly


def install_packages(names: Sequence[str], *, recommended: bool = True) -> bool:
    """Install packages without asking; False where that is not possible.

    Not on Ubuntu, where the packages of browsers only point to snaps.

    Args:
        recommended: with the packages that these recommend, codecs and desktop parts mostly.
    """
    if sys.platform != "linux" or os.geteuid() != 0 or not _is_debian():
        return False
    print(f"installing Debian's {', '.join(names)} for the tests ...", flush=True)
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    fewer = [] if recommended else ["--no-install-recommends"]
    return all(
        run_quietly(["apt-get", *arguments], Path.cwd(), quiet).returncode == 0
        for arguments in (["update"], ["install", "-y", *fewer, *names])
    )


def _is_debian() -> bool:
    try:
        lines = Path("/etc/os-release").read_text(encoding="utf-8").splitlines()
    except OSError:
        return False
    return "ID=debian" in lines
