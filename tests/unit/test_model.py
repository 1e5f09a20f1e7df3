"""Model folders: what their JSON files say, and which are refused."""

import json
from typing import Any

import pytest

from webrerank.errors import UnsupportedModelError
from webrerank.model import ModelSpec, read_model

CLS_SEP: dict[str, Any] = {"type": "BertProcessing", "cls": ["[CLS]", 101], "sep": ["[SEP]", 102]}


def read(
    config: Any = None, tokenizer: Any = None, tokenizer_config: Any = None, **more: Any
) -> ModelSpec:
    tokenizer = {"post_processor": CLS_SEP, **(tokenizer or {})}
    return read_model(
        json.dumps({**(config or {}), **more}),
        json.dumps(tokenizer),
        json.dumps(tokenizer_config or {}),
    )


@pytest.mark.parametrize(
    ("config", "tokenizer", "tokenizer_config", "wanted"),
    [
        pytest.param(
            {"model_type": "bert", "max_position_embeddings": 512}, {}, {}, 512, id="bert"
        ),
        pytest.param({"max_position_embeddings": 514, "pad_token_id": 1}, {}, {}, 512, id="xlm"),
        pytest.param(
            {"max_position_embeddings": 130, "pad_token_id": 1}, {}, {}, 128, id="roberta, short"
        ),
        pytest.param(
            {"model_type": "xlm-roberta", "max_position_embeddings": 8194},
            {},
            {"model_max_length": 8192},
            8192,
            id="bge-reranker-v2-m3",
        ),
        pytest.param(
            {"model_type": "bert", "max_position_embeddings": 514}, {}, {}, 514, id="bert of 514"
        ),
        pytest.param(
            {"max_position_embeddings": 512}, {}, {"model_max_length": 128}, 128, id="the shorter"
        ),
        pytest.param(
            {"max_position_embeddings": 128}, {}, {"model_max_length": 512}, 128, id="the other"
        ),
        pytest.param(
            {"max_position_embeddings": 512},
            {},
            {"model_max_length": 1000000000000000019884624838656},
            512,
            id="not set, whole",
        ),
        pytest.param({}, {}, {"model_max_length": 1e30}, 512, id="not set, anywhere"),
        pytest.param({}, {}, {"model_max_length": 256.0}, 256, id="a float"),
        pytest.param({}, {"truncation": {"max_length": 300}}, {}, 300, id="truncation"),
        pytest.param(
            {"max_position_embeddings": 512},
            {"truncation": {"max_length": 300}},
            {},
            512,
            id="truncation only where nothing else says",
        ),
        pytest.param({"max_position_embeddings": -1}, {}, {}, 512, id="relative positions"),
    ],
)
def test_max_length(
    config: dict[str, Any], tokenizer: dict[str, Any], tokenizer_config: dict[str, Any], wanted: int
) -> None:
    spec = read(config, tokenizer, tokenizer_config)
    assert spec.max_length == wanted
    assert type(spec.max_length) is int


def test_pad_id_of_the_tokenizer_wins() -> None:
    assert read({"pad_token_id": 1}, {"padding": {"pad_id": 7}}).pad_id == 7
    assert read({"pad_token_id": 1}, {"padding": None}).pad_id == 1
    assert read({"pad_token_id": 1}, {"padding": {"pad_id": 0}}).pad_id == 0
    assert read({"pad_token_id": None}).pad_id == 0
    assert read().pad_id == 0


def test_the_tokenizers_own_truncation_and_padding_are_taken_out() -> None:
    tokenizer = {"truncation": {"max_length": 9}, "padding": {"pad_id": 0}, "model": {"v": 1}}
    kept = json.loads(read({}, tokenizer).tokenizer_json)
    assert kept["truncation"] is None
    assert kept["padding"] is None
    assert kept["model"] == {"v": 1}
    assert kept["post_processor"] == CLS_SEP


def test_the_template_comes_from_the_tokenizer() -> None:
    assert read().template.special_count == 3


@pytest.mark.parametrize(
    "config",
    [{}, {"num_labels": 1}, {"num_labels": 2}, {"id2label": {"0": "a"}}, {"id2label": None}],
    ids=str,
)
def test_one_or_two_labels_are_a_reranker(config: dict[str, Any]) -> None:
    assert read(config)


@pytest.mark.parametrize(
    "config", [{"num_labels": 3}, {"id2label": {"0": "a", "1": "b", "2": "c"}}], ids=str
)
def test_three_labels_are_a_classifier(config: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedModelError, match="3 labels"):
        read(config)


@pytest.mark.parametrize("text", ["", "{", "[1]", "null", '"text"'])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_what_is_no_json_object_is_refused_by_file_name(place: int, text: str) -> None:
    files = ["{}", "{}", "{}"]
    files[place] = text
    name = ("config.json", "tokenizer.json", "tokenizer_config.json")[place]
    with pytest.raises(UnsupportedModelError, match=f"model's {name} is not"):
        read_model(*files)


@pytest.mark.parametrize(
    "files",
    [
        pytest.param(({"id2label": 5}, {}, {}), id="id2label a number"),
        pytest.param(({"max_position_embeddings": "many"}, {}, {}), id="positions a string"),
        pytest.param(({"pad_token_id": "x"}, {}, {}), id="pad id a string"),
        pytest.param(({}, {}, {"model_max_length": "long"}), id="length a string"),
        pytest.param(({}, {"truncation": 5}, {}), id="truncation a number"),
        pytest.param(({}, {"truncation": {"stride": 0}}, {}), id="truncation without length"),
        pytest.param(({}, {"post_processor": 5}, {}), id="post-processor a number"),
        pytest.param(({}, {"post_processor": {}}, {}), id="post-processor without type"),
        pytest.param(
            ({}, {"post_processor": {"type": "Sequence"}}, {}), id="sequence without processors"
        ),
        pytest.param(
            ({}, {"post_processor": {"type": "TemplateProcessing"}}, {}), id="template without pair"
        ),
        pytest.param(
            ({}, {"post_processor": {**CLS_SEP, "cls": ["[CLS]"]}}, {}), id="cls without id"
        ),
        pytest.param(
            (
                {},
                {
                    "post_processor": {
                        "type": "TemplateProcessing",
                        "pair": [{"Sequence": {"id": "C", "type_id": 0}}],
                        "special_tokens": {},
                    }
                },
                {},
            ),
            id="template with a third text",
        ),
    ],
)
def test_files_of_another_form_are_refused(files: tuple[dict[str, Any], ...]) -> None:
    with pytest.raises(UnsupportedModelError):
        read(*files)
