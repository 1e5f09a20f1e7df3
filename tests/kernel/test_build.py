"""The committed builds are made of nothing but kernel/*.c."""

from pathlib import Path

import pytest
import wasmtime

from tools.kernel import BUILDS, build_kernel
from webrerank.adapters.kernel import ENGINE, compile_kernel, computes_rightly

ROOT = Path(__file__).resolve().parents[2]

DOT = bytes([0xFD, 0x93, 0x02])  # i32x4.relaxed_dot_i8x16_i7x16_add_s
RELAXED_MADD = bytes([0xFD, 0x85, 0x02])  # f32x4.relaxed_madd
PLAIN_DOT = bytes([0xFD, 0xBA, 0x01])  # i32x4.dot_i16x8_s
MIN_OF_16_BITS = bytes([0xFD, 0x96, 0x01])  # i16x8.min_s


@pytest.fixture(scope="module")
def rebuilt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kernel")
    build_kernel(ROOT, folder)
    return folder


@pytest.mark.parametrize("build", BUILDS)
def test_the_source_gives_the_committed_bytes(rebuilt: Path, build: str) -> None:
    committed = (ROOT / "web" / "kernel" / f"{build}.wasm").read_bytes()
    assert (rebuilt / f"{build}.wasm").read_bytes() == committed, "run `python build.py kernel`"


@pytest.mark.parametrize("build", BUILDS)
def test_the_probe_tells_right_from_wrong(build: str) -> None:
    """V8 11.3 was wrong until its better compiler took over; here the dot is taken out."""
    assert computes_rightly(compile_kernel(build))
    code = (ROOT / "web" / "kernel" / f"{build}.wasm").read_bytes()
    dot = {"relaxed": DOT, "plain": PLAIN_DOT}[build]
    # Other instructions of as many bytes and values: without the sum, or another product.
    wrong = {"relaxed": RELAXED_MADD, "plain": MIN_OF_16_BITS}[build]
    assert code.count(dot) >= 8
    assert not computes_rightly(wasmtime.Module(ENGINE, code.replace(dot, wrong)))


def test_the_dot_is_the_only_relaxed_instruction() -> None:
    """Others may round otherwise on another machine. They are 0xfd and a number from 0x100 on."""
    relaxed = (ROOT / "web" / "kernel" / "relaxed.wasm").read_bytes()
    plain = (ROOT / "web" / "kernel" / "plain.wasm").read_bytes()
    others = [bytes([0xFD, low, 0x02]) for low in range(0x80, 0x93)]
    assert relaxed.count(DOT) >= 8
    assert DOT not in plain
    for other in others:
        assert other not in relaxed
        assert other not in plain
