"""What counts as flat, and the record of a soak: JSON and a picture."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from tests.e2e.gauges import Numbers

#: Engines compile and learn while they run: a heap may rise this much after the warm-up, bytes,
HEAP_SLACK = 150_000
#: and this much a call. The smallest array of 50 documents that is kept takes twenty times that.
HEAP_A_CALL = 100
#: Python's own caches; what one call in ten keeps shows.
OBJECTS_A_CALL = 0.1

WIDTH, HEIGHT, MARGIN = 220, 70, 24
COLUMNS = 4


def allowed_rise(gauge: str, calls: int) -> float:
    """How much more a gauge may say after so many calls; most of them, nothing."""
    if gauge in ("JS heap", "buffers"):
        return HEAP_SLACK + HEAP_A_CALL * calls
    return OBJECTS_A_CALL * calls if gauge == "Python objects" else 0


def curves(samples: Sequence[Numbers]) -> Iterator[tuple[str, str, list[int]]]:
    """Each gauge of each place, over the samples."""
    for place, gauges in samples[0].items():
        for gauge in gauges:
            yield place, gauge, [sample[place][gauge] for sample in samples]


def risen(samples: Sequence[Numbers], calls: int) -> list[str]:
    """What is not flat from the first sample to the last, `calls` calls later."""
    assert all(sample.keys() == samples[0].keys() for sample in samples), "workers came or went"
    return [
        f"{place}: {gauge} rose from {values[0]:,} to {values[-1]:,} in {calls} calls"
        for place, gauge, values in curves(samples)
        if values[-1] - values[0] > allowed_rise(gauge, calls)
    ]


def write_record(folder: Path, samples: Sequence[Numbers], facts: dict[str, object]) -> None:
    """Write soak.json and soak.svg."""
    folder.mkdir(parents=True, exist_ok=True)
    record = {**facts, "samples": samples}
    (folder / "soak.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    (folder / "soak.svg").write_text(picture(samples), encoding="utf-8")


def picture(samples: Sequence[Numbers]) -> str:
    """One small chart a gauge, each from zero, so that a rise shows as large as it is."""
    charts = [chart for chart in curves(samples) if any(chart[2])]
    rows = -(-len(charts) // COLUMNS)
    size = f"{COLUMNS * (WIDTH + MARGIN) + MARGIN} {rows * (HEIGHT + 2 * MARGIN) + MARGIN}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" '
        'font-family="sans-serif" font-size="10">',
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    for place, (worker, gauge, values) in enumerate(charts):
        x = MARGIN + place % COLUMNS * (WIDTH + MARGIN)
        y = 2 * MARGIN + place // COLUMNS * (HEIGHT + 2 * MARGIN)
        step, top = WIDTH / max(1, len(values) - 1), max(values)
        points = " ".join(
            f"{x + n * step:.1f},{y + HEIGHT * (1 - value / top):.1f}"
            for n, value in enumerate(values)
        )
        title = escape(f"{worker.removeprefix('webrerank ')}: {gauge}")
        parts += [
            f'<path d="M{x},{y}v{HEIGHT}h{WIDTH}" fill="none" stroke="#bbb"/>',
            f'<polyline points="{points}" fill="none" stroke="#05a" stroke-width="1.5"/>',
            f'<text x="{x}" y="{y - 6}">{title}, {values[0]:,} to {values[-1]:,}</text>',
        ]
    return "\n".join([*parts, "</svg>\n"])
