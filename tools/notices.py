"""THIRD_PARTY_NOTICES.txt: the full licence texts of what ships, from the packages themselves."""

import zipfile
from collections.abc import Callable
from pathlib import Path

from tools import BuildError
from tools.assets import Part

RULE = "=" * 80

INTRODUCTION = """\
webrerank is distributed under the Apache License 2.0, see LICENSE.
It contains the following third-party software and data, unchanged except that the package list
pyodide-lock.json is cut down to the packages that are included.
"""


def third_party_notices(parts: list[Part], locate: Callable[[str], Path]) -> str:
    """Write the whole text.

    Args:
        locate: gives the verified file for a path of assets.toml or of the repository.
    """
    sections = [INTRODUCTION]
    for part in parts:
        title = f"{part.name} {part.version}\nLicence: {part.licence}\nCopyright: {part.copyright}"
        texts = [text for notice in part.notices for text in _texts(notice, locate)]
        sections.append("\n\n".join([f"{RULE}\n{title}\n{RULE}", *texts]) + "\n")
    return "\n".join(sections)


def _texts(notice: str, locate: Callable[[str], Path]) -> list[str]:
    path, _, member = notice.partition("!")
    if not member:
        return [_decode(locate(path).read_bytes())]
    with zipfile.ZipFile(locate(path)) as wheel:
        names = [
            name
            for name in sorted(wheel.namelist())
            if name == member
            or (member.endswith("/") and name.startswith(member) and name[-1] != "/")
        ]
        if not names:
            raise BuildError(f"{path} has no {member}: correct the notices in assets.toml.")
        return [_decode(wheel.read(name)) for name in names]


def _decode(data: bytes) -> str:
    return data.decode("utf-8", errors="replace").replace("\r\n", "\n").strip("\n")
