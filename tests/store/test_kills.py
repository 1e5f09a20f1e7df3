"""A page that is closed in mid-download, again and again, always ends with the right bytes."""

from __future__ import annotations

import itertools
import os
import random
import signal
from pathlib import Path

import pytest
from playwright.sync_api import Error, Page

from tests.e2e.support import run
from tests.hub.contents import Fault
from tests.hub.server import Hub
from tests.store.conftest import OpenPage, OpenProfile
from tests.store.support import CHUNK, L12, L12_BYTES, L12_FILE, check_whole, prefetch
from tools.serve import Server

KILLS = 20
#: Bytes that the browser has read for the page, and the page not yet.
READ_AHEAD = 2**20


def start_and_wait(page: Page, hub: Hub, place: int) -> None:
    """Begin the download and wait until the page has read it up to a place, and no further."""
    hub.fault(L12_FILE, Fault(hold_at=place))
    run(page, "t.told = { loadedBytes: 0 }; t.prefetch(arg); return 0", L12)
    page.wait_for_function("place => t.told.loadedBytes >= place", arg=place, polling=20)


def check_refetched(hub: Hub) -> int:
    """At most one chunk is fetched again after each kill; gives the worst, in bytes."""
    requests = hub.asked(L12_FILE)
    again = [
        before.first + before.sent - after.first for before, after in itertools.pairwise(requests)
    ]
    assert max(again) <= CHUNK + READ_AHEAD
    assert hub.sent(L12_FILE) - L12_BYTES == sum(again)
    return max(again)


def test_closed_at_twenty_random_places(
    open_page: OpenPage, site: Server, hub: Hub, bundled_on_hub: str
) -> None:
    page = open_page()
    dice = random.Random(3)
    for place in sorted(dice.randrange(1, L12_BYTES) for _ in range(KILLS)):
        start_and_wait(page, hub, place)
        page.wait_for_timeout(dice.choice([0, 0, 20, 150]))
        another = page.context.new_page()
        page.close()
        another.goto(site.url + "blank.html")
        page = another
        hub.release()
    check_whole(page, hub, L12_FILE, prefetch(page, L12))
    assert len(hub.asked(L12_FILE)) >= KILLS
    print(f"worst refetch {check_refetched(hub)} bytes")


def kill_browser(profile: Path) -> None:
    """Kill the browser that has a profile open, and the script that may have started it."""
    wanted = f"--user-data-dir={profile}".encode()
    killed = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if wanted in arguments and not any(a.startswith(b"--type=") for a in arguments):
            os.kill(int(folder.name), signal.SIGKILL)
            killed += 1
    assert killed, "the browser is not running"


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="finds the process in /proc")
def test_a_killed_browser(
    open_profile: OpenProfile, tmp_path: Path, site: Server, hub: Hub, bundled_on_hub: str
) -> None:
    for place in (CHUNK + 6_000_000, L12_BYTES - 50_000):
        context = open_profile()
        page = context.new_page()
        page.goto(site.url + "blank.html")
        start_and_wait(page, hub, place)
        page.wait_for_timeout(500)
        kill_browser(tmp_path / "profile")
        with pytest.raises(Error):
            page.wait_for_timeout(5_000)
            page.evaluate("0")
        hub.release()
    page = open_profile().new_page()
    page.goto(site.url + "blank.html")
    check_whole(page, hub, L12_FILE, prefetch(page, L12))
    print(f"worst refetch {check_refetched(hub)} bytes")
