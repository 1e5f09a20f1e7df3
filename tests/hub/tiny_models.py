"""Small rerankers with random weights in the hub's folder layout, one of each architecture."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import onnx

from tests.hub import tokenizer_kinds as kinds
from tests.hub.graphs import Dtype, Shape, cut_layers, encoder

MODEL_FILES: Mapping[Dtype, str] = MappingProxyType(
    {"fp32": "onnx/model.onnx", "fp16": "onnx/model_fp16.onnx", "q8": "onnx/model_quantized.onnx"}
)
TWO_INPUTS = ("input_ids", "attention_mask")


@dataclass(frozen=True)
class Architecture:
    """A kind of model: its tokenizer, its graph, its config.json."""

    tokenizer: Callable[[], kinds.Values]
    shape: Shape
    dtype: Dtype = "fp32"
    external: bool = False
    config: Mapping[str, Any] = field(default_factory=dict)


def _two(**values: Any) -> Shape:
    return Shape(0, TWO_INPUTS, **values)


ARCHITECTURES: Mapping[str, Architecture] = MappingProxyType(
    {
        "bert": Architecture(kinds.word_piece, Shape(0), config={"model_type": "bert"}),
        "bert-processing": Architecture(kinds.bert_processing, Shape(0)),
        "bert-q8": Architecture(kinds.word_piece, Shape(0), "q8"),
        "bert-fp16": Architecture(kinds.word_piece, Shape(0), "fp16"),
        "bert-fp16-logits": Architecture(kinds.word_piece, Shape(0, half_logits=True), "fp16"),
        "bert-two-labels": Architecture(
            kinds.word_piece,
            Shape(0, labels=2),
            config={"id2label": {"0": "NOT_RELEVANT", "1": "RELEVANT"}},
        ),
        "xlm-roberta": Architecture(
            kinds.unigram_xlm_roberta,
            _two(positions=66, first_position=2),
            config={
                "model_type": "xlm-roberta",
                "max_position_embeddings": 66,
                "pad_token_id": 1,
            },
        ),
        "xlm-roberta-external": Architecture(
            kinds.unigram_xlm_roberta,
            _two(positions=514, first_position=2),
            external=True,
            config={"model_type": "xlm-roberta", "max_position_embeddings": 514},
        ),
        # Positions from behind the padding id, which only the graph tells: no name is known for it.
        "mpnet": Architecture(
            kinds.word_piece,
            _two(positions=66, first_position=2),
            config={"model_type": "mpnet", "max_position_embeddings": 66},
        ),
        "deberta-v2": Architecture(kinds.unigram_deberta, _two(positions=0)),
        "modernbert": Architecture(kinds.byte_level_modernbert, _two(positions=0)),
        "gpt": Architecture(kinds.byte_level_gpt, _two(pool="last")),
        "roberta": Architecture(
            kinds.byte_level_roberta,
            _two(positions=514, first_position=2),
            config={"model_type": "roberta", "max_position_embeddings": 514},
        ),
        "sequence": Architecture(kinds.byte_level_sequence, _two(positions=0)),
    }
)


def make_model(folder: Path, kind: str | Architecture, **config: Any) -> Path:
    """Make a model folder.

    Args:
        config: put into config.json over what the architecture says.
    """
    made = ARCHITECTURES[kind] if isinstance(kind, str) else kind
    tokenizer = made.tokenizer()
    shape = replace(made.shape, vocabulary=kinds.vocabulary_size(tokenizer))
    values = {"model_type": "test", "max_position_embeddings": 512, **made.config, **config}
    write_texts(folder, values, tokenizer)
    write_onnx(folder / MODEL_FILES[made.dtype], encoder(shape, made.dtype), made.external)
    return folder


def write_texts(folder: Path, config: Any, tokenizer: Any) -> None:
    """Write the files beside the weights; None leaves one out."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {"config.json": config, "tokenizer.json": tokenizer}
    for name, values in files.items():
        if values is not None:
            (folder / name).write_text(json.dumps(values), encoding="utf-8")


def write_onnx(path: Path, model: onnx.ModelProto, external: bool, threshold: int = 1024) -> None:
    """Write a model, its weights beside it if asked."""
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save_model(
        model,
        str(path),
        save_as_external_data=external,
        location=f"{path.name}_data",
        size_threshold=threshold,
    )


def make_six_layers(folder: Path, bundled: Path) -> Path:
    """The L-6 shape: the bundled twelve layers cut to their first six."""
    model = onnx.load(bundled / MODEL_FILES["q8"])
    layer = "/bert/encoder/layer.{}/output/LayerNorm/Add_1_output_0"
    cut = cut_layers(model, last=layer.format(11), after=layer.format(5))
    write_onnx(folder / MODEL_FILES["q8"], cut, external=False)
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(bundled / name, folder / name)
    return folder


def make_large(folder: Path, dtype: Dtype = "q8") -> Path:
    """The shape of XLM-R base, whose int8 file is 279 MB; made once, then kept."""
    if (folder / "config.json").is_file():
        return folder
    config = {"model_type": "xlm-roberta", "max_position_embeddings": 514, "pad_token_id": 1}
    vocabulary = 250_002
    shape = Shape(vocabulary, TWO_INPUTS, 768, 12, 12, positions=514, first_position=2)
    write_onnx(folder / MODEL_FILES[dtype], encoder(shape, dtype), external=False)
    write_texts(folder, config, kinds.large_unigram(vocabulary))
    return folder
