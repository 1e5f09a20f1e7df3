"""The committed builds are made of nothing but kernel/*.c."""

from pathlib import Path

import pytest

from tools.kernel import BUILDS, build_kernel

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def rebuilt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kernel")
    build_kernel(ROOT, folder)
    return folder


@pytest.mark.parametrize("build", BUILDS)
def test_the_source_gives_the_committed_bytes(rebuilt: Path, build: str) -> None:
    committed = (ROOT / "web" / "kernel" / f"{build}.wasm").read_bytes()
    assert (rebuilt / f"{build}.wasm").read_bytes() == committed, "run `python build.py kernel`"


def test_the_dot_is_the_only_relaxed_instruction() -> None:
    """Others may round otherwise on another machine. They are 0xfd and a number from 0x100 on."""
    dot = bytes([0xFD, 0x93, 0x02])  # i32x4.relaxed_dot_i8x16_i7x16_add_s
    relaxed = (ROOT / "web" / "kernel" / "relaxed.wasm").read_bytes()
    plain = (ROOT / "web" / "kernel" / "plain.wasm").read_bytes()
    others = [bytes([0xFD, low, 0x02]) for low in range(0x80, 0x93)]
    assert relaxed.count(dot) >= 8
    assert dot not in plain
    for other in others:
        assert other not in relaxed
        assert other not in plain
