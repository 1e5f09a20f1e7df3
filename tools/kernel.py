"""Compile kernel/*.c to WebAssembly.

Its two builds are committed under web/kernel/, so nobody needs a compiler to use or to change
anything else; tests/kernel holds them to the source, byte for byte.
"""

from pathlib import Path

from tools import BuildError
from tools.environment import Environment
from tools.run import last_words, run_quietly

#: Relaxed SIMD has the dot product of bytes; the other build is for engines without it.
BUILDS = {"relaxed": ("-mrelaxed-simd",), "plain": ()}

#: `-ffp-contract=off`: a fused multiply-add would round otherwise, where an engine has it.
FLAGS = (
    *("--target=wasm32-freestanding", "-std=c23", "-O3", "-finline-hint-functions"),
    *("-nostdlib", "-ffreestanding", "-ffp-contract=off", "-fno-sanitize=undefined"),
    *("-msimd128", "-mbulk-memory", "-Wall", "-Wextra", "-Werror"),
    *("-Wl,--no-entry", "-Wl,--strip-all", "-Wl,-z,stack-size=131072"),
)


def build_kernel(root: Path, folder: Path | None = None) -> None:
    """Compile both builds into `folder`, by default where they are committed.

    Raises:
        BuildError: the compiler could not be installed, or refused the source.
    """
    python = Environment(root).ensure("compile")
    sources = sorted(path.name for path in (root / "kernel").glob("*.c"))
    folder = folder or root / "web" / "kernel"
    folder.mkdir(parents=True, exist_ok=True)
    for name, flags in BUILDS.items():
        target = folder / f"{name}.wasm"
        command = [str(python), "-m", "ziglang", "cc", *FLAGS, *flags, *sources, "-o", str(target)]
        result = run_quietly(command, root / "kernel")
        if result.returncode != 0:
            raise BuildError(f"could not compile the kernel (zig said: {last_words(result)}).")
        target.chmod(0o644)  # the linker makes it executable
        print(f"web/kernel/{name}.wasm  {target.stat().st_size / 1000:.1f} kB", flush=True)
