"""Find, or as a last resort install, the browser that the tests drive."""

import os
import shutil
import sys
from pathlib import Path

from tools import BuildError
from tools.run import last_words, run_quietly

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")

MAC_PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)

WINDOWS_FOLDERS = ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA")


def find_browser(python: Path) -> str:
    """Return the path of a Chromium or Chrome; "" stands for the one Playwright brings along.

    Args:
        python: an interpreter that has Playwright.

    Raises:
        BuildError: if there is none and none can be installed.
    """
    chosen = os.environ.get("WEBRERANK_BROWSER")
    if chosen:
        found = shutil.which(chosen)
        if found is None:
            raise BuildError(f"WEBRERANK_BROWSER names {chosen}, which is no program: correct it.")
        return found
    return _installed() or _from_debian() or _from_playwright(python)


def _installed() -> str | None:
    places = [*NAMES]
    if sys.platform == "darwin":
        places += MAC_PLACES
    if sys.platform == "win32":
        folders = [os.environ[name] for name in WINDOWS_FOLDERS if name in os.environ]
        places += [f"{folder}\\Google\\Chrome\\Application\\chrome.exe" for folder in folders]
    return next((path for place in places if (path := shutil.which(place))), None)


def _from_debian() -> str | None:
    """Install Debian's own Chromium. Not on Ubuntu, where that package only points to a snap."""
    if sys.platform != "linux" or os.geteuid() != 0 or not _is_debian():
        return None
    print("installing Debian's chromium for the tests ...", flush=True)
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update"], ["install", "-y", "chromium"]):
        if run_quietly(["apt-get", *arguments], Path.cwd(), quiet).returncode != 0:
            return None
    return shutil.which("chromium")


def _is_debian() -> bool:
    try:
        lines = Path("/etc/os-release").read_text(encoding="utf-8").splitlines()
    except OSError:
        return False
    return "ID=debian" in lines


def _from_playwright(python: Path) -> str:
    print("installing Playwright's chromium for the tests ...", flush=True)
    result = run_quietly([str(python), "-m", "playwright", "install", "chromium"], Path.cwd())
    if result.returncode != 0:
        raise BuildError(
            "the tests need a browser: install Chromium or Chrome, or set WEBRERANK_BROWSER to "
            f"the path of one (playwright said: {last_words(result)})."
        )
    return ""
