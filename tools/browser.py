"""Find, or as a last resort install, the browsers that the tests drive."""

import os
import shutil
import sys
from pathlib import Path

from tools import BuildError
from tools.debian import install_packages
from tools.run import last_words, run_quietly

#: The first is Chromium without windows: an empty page takes a seventh of the processor time.
NAMES = (
    *("chromium-headless-shell", "chromium", "chromium-browser"),
    *("google-chrome", "google-chrome-stable", "chrome"),
)

#: The other engines: Debian's packages, and a program of each.
ENGINES = {
    "firefox-esr": "firefox-esr",
    "webkit2gtk-driver": "WebKitWebDriver",
    "xvfb": "Xvfb",
}

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
    return installed() or _from_debian() or _from_playwright(python)


def installed() -> str | None:
    """A browser that is on this machine."""
    places = [*NAMES]
    if sys.platform == "darwin":
        places += MAC_PLACES
    if sys.platform == "win32":
        folders = [os.environ[name] for name in WINDOWS_FOLDERS if name in os.environ]
        places += [f"{folder}\\Google\\Chrome\\Application\\chrome.exe" for folder in folders]
    return next((path for place in places if (path := shutil.which(place))), None)


def _from_debian() -> str | None:
    for package in NAMES[:2]:
        if install_packages([package]):
            return shutil.which(package)
    return None


def install_engines() -> None:
    """Install the browsers of tests/engines as far as possible; its tests say what is missing."""
    missing = [package for package, name in ENGINES.items() if shutil.which(name) is None]
    if missing:
        install_packages(missing, recommended=False)


def _from_playwright(python: Path) -> str:
    print("installing Playwright's chromium for the tests ...", flush=True)
    result = run_quietly([str(python), "-m", "playwright", "install", "chromium"], Path.cwd())
    if result.returncode != 0:
        raise BuildError(
            "the tests need a browser: install Chromium or Chrome, or set WEBRERANK_BROWSER to "
            f"the path of one (playwright said: {last_words(result)})."
        )
    return ""
