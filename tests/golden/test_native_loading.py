"""load_reranker: what a model folder must have, and what is said when it has not."""

import asyncio
import shutil
import sys
from pathlib import Path

import pytest

from tests.e2e.models import dequantize
from webrerank import (
    InvalidRequestError,
    ModelLoadError,
    RuntimeLoadError,
    TokenizationError,
    UnsupportedModelError,
    load_reranker,
)
from webrerank.adapters.native import NativeTokenizer


@pytest.fixture
def folder(model_folder: Path, tmp_path: Path) -> Path:
    """A copy of the bundled model that a test may spoil."""
    return Path(shutil.copytree(model_folder, tmp_path / "model"))


def test_a_path_may_be_a_string_and_the_tokenizer_config_may_be_missing(folder: Path) -> None:
    (folder / "tokenizer_config.json").unlink()
    ranking = asyncio.run(load_reranker(str(folder)).rerank("red", ["red", "blue"]))
    assert ranking.results[0].index == 0


def test_a_second_call_is_answered_from_the_cache_unless_told_not_to(model_folder: Path) -> None:
    for cache, wanted in ((True, (0, 1)), (False, (1, 0))):
        reranker = load_reranker(model_folder, cache=cache)
        asyncio.run(reranker.rerank("red", ["blue"]))
        usage = asyncio.run(reranker.rerank("red", ["blue"])).usage
        assert (usage.pairs, usage.cached) == wanted


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ModelLoadError, match=name):
        load_reranker(folder)


def test_a_folder_that_is_not_there_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelLoadError, match=r"There is no folder .*nothing"):
        load_reranker(tmp_path / "nothing")


def test_a_folder_without_a_model_is_told_the_names_of_one(tmp_path: Path) -> None:
    with pytest.raises(ModelLoadError, match=r"none of onnx/model_fp16\.onnx, model_fp16\.onnx"):
        load_reranker(tmp_path, dtype="fp16")


def test_the_kernel_gives_its_own_logits_and_is_named(model_folder: Path) -> None:
    answers = [
        asyncio.run(load_reranker(model_folder, engine=engine).rerank("red", ["red", "blue"]))
        for engine in ("onnxruntime", "kernel")
    ]
    assert [answer.engine for answer in answers] == ["onnxruntime", "kernel"]
    native, own = ([result.logit for result in answer.results] for answer in answers)
    assert native != own
    assert native == pytest.approx(own, abs=0.5)


def test_a_model_that_the_kernel_does_not_understand_is_refused(folder: Path) -> None:
    path = folder / "onnx" / "model_quantized.onnx"
    path.write_bytes(dequantize(path))  # floats, whatever it is called
    with pytest.raises(UnsupportedModelError, match="engine='onnxruntime'"):
        load_reranker(folder, engine="kernel")


def test_the_kernel_needs_wasmtime(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "wasmtime", None)
    monkeypatch.delitem(sys.modules, "webrerank.adapters.kernel", raising=False)
    with pytest.raises(RuntimeLoadError, match=r"wasmtime.*pip install 'webrerank\[kernel\]'"):
        load_reranker(tmp_path, engine="kernel")


@pytest.mark.parametrize("name", ["onnxruntime", "tokenizers"])
def test_what_is_not_installed_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, "webrerank.adapters.native")
    with pytest.raises(RuntimeLoadError, match=rf"{name}.*pip install 'webrerank\[native\]'"):
        load_reranker(tmp_path)


def test_a_dtype_that_the_folder_has_not(model_folder: Path) -> None:
    with pytest.raises(ModelLoadError, match="'fp16'"):
        load_reranker(model_folder, dtype="fp16")


def test_options_that_make_no_sense(model_folder: Path) -> None:
    with pytest.raises(InvalidRequestError, match="dtype"):
        load_reranker(model_folder, dtype="int3")
    with pytest.raises(InvalidRequestError, match="sessions"):
        load_reranker(model_folder, sessions=0)
    with pytest.raises(InvalidRequestError, match="engine"):
        load_reranker(model_folder, engine="magic")


@pytest.mark.parametrize("content", [b"", b"no model at all", b"\x08\x07" * 500])
def test_a_broken_onnx_file_is_a_model_that_cannot_be_run(folder: Path, content: bytes) -> None:
    (folder / "onnx" / "model_quantized.onnx").write_bytes(content)
    with pytest.raises(UnsupportedModelError, match="cannot run this model: "):
        load_reranker(folder)


def test_a_tokenizer_nobody_knows_is_refused(folder: Path) -> None:
    (folder / "tokenizer.json").write_text('{"model": {"type": "Surprise"}}', encoding="utf-8")
    with pytest.raises(UnsupportedModelError):
        load_reranker(folder)


def test_json_of_great_depth_is_refused(folder: Path) -> None:
    (folder / "config.json").write_text("[" * 100_000, encoding="utf-8")
    with pytest.raises(UnsupportedModelError, match=r"config\.json is not JSON"):
        load_reranker(folder)


def test_what_the_tokenizer_refuses_is_a_tokenization_error(model_folder: Path) -> None:
    tokenizer = NativeTokenizer((model_folder / "tokenizer.json").read_text(encoding="utf-8"))
    with pytest.raises(TokenizationError) as caught:
        tokenizer.encode_batch(["SECRET \ud800"])
    assert "SECRET" not in str(caught.value)
