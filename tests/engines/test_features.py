"""What an engine lacks is found out, and the library does without.

The README's table of browsers says what each has; here it is compared with the browsers.
"""

from __future__ import annotations

import pytest

from tests.e2e.support import BERLIN, BERLIN_DOCUMENTS, ROOT
from tests.engines.conftest import ENGINES, Serve, besides_chromium
from tests.engines.page import EnginePage, run

#: How each feature of the README's table is found out.
FEATURES = {
    "WebGPU": "'gpu' in navigator",
    "JSPI": "'Suspending' in WebAssembly",
    "`storage.estimate`": "typeof navigator.storage?.estimate === 'function'",
    "`deviceMemory`": "'deviceMemory' in navigator",
    "Service worker": "'serviceWorker' in navigator",
    "Web Locks": "'locks' in navigator",
}


def readme_table() -> dict[str, dict[str, bool]]:
    """The table of the README's "Browsers": engine -> feature -> has it."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.split("\n## Browsers\n")[1].split("\n## ")[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in section.splitlines()
        if line.startswith("|")
    ]
    said = {"yes": True, "no": False}
    return {
        engine: {row[0]: said[row[column]] for row in rows[2:]}
        for column, engine in enumerate(ENGINES, start=1)
    }


def test_the_readme_says_what_the_engine_has(page: EnginePage, engine: str, serve: Serve) -> None:
    page.go(serve().url + "blank.html")
    tests = ", ".join(f"{name!r}: {test}" for name, test in FEATURES.items())
    assert run(page, f"return {{ {tests} }}") == readme_table()[engine]


def test_what_the_library_does_without_is_not_there(
    page: EnginePage, engine: str, serve: Serve
) -> None:
    """So that the other tests of this folder show that it does."""
    page.go(serve().url + "blank.html")
    assert run(page, "return typeof SharedArrayBuffer") == "undefined"
    if engine == "webkit":
        assert run(page, "return typeof navigator.storage?.getDirectory") == "undefined"


@besides_chromium  # which may have a GPU here; tests/e2e/test_webgpu.py sees to that
def test_without_webgpu_it_falls_back(page: EnginePage, serve: Serve) -> None:
    page.go(serve().url + "blank.html")
    run(page, "await t.start({ sessions: 1, device: 'webgpu' })")
    told = run(page, "return [t.reranker.device, t.reranker.dtype, t.reranker.fallback]")
    reason = "This browser offers no WebGPU adapter, so the model runs on WebAssembly."
    assert told == ["wasm", "q8", reason]
    ranking = run(page, "return t.rerank(...arg)", [BERLIN, BERLIN_DOCUMENTS[::-1]])
    assert [result["index"] for result in ranking["results"]] == [1, 0]
    assert ranking["fallback"] == reason


def test_usage_is_told_as_far_as_it_is_known(page: EnginePage, engine: str, serve: Serve) -> None:
    page.go(serve().url + "blank.html")
    usage = run(page, "return (await t.lib()).models.usage()")
    known = readme_table()[engine]["`storage.estimate`"]
    assert (usage["quotaBytes"] is not None) == known
    assert (usage["usedBytes"] is not None) == known
    assert (usage["modelBytes"], usage["persisted"]) == (0, False)


@pytest.mark.parametrize(
    ("complain", "heard"),
    [
        ("console.error('said so')", "said so"),
        ("console.warn('said so')", "said so"),
        ("setTimeout(() => { throw new Error('thrown'); })", "thrown"),
        ("Promise.reject(new Error('rejected'))", "rejected"),
        ("new Image().src = 'https://other.invalid/'", "other.invalid"),
    ],
    ids=["error", "warning", "throw", "reject", "policy"],
)
def test_complaints_are_heard(page: EnginePage, serve: Serve, complain: str, heard: str) -> None:
    """A watch that hears nothing would let every other test of this folder pass."""
    page.go(serve().url + "blank.html")
    run(page, f"{complain}; await t.sleep(100)")
    complaints = page.complaints()
    assert complaints and all(heard in complaint for complaint in complaints)
