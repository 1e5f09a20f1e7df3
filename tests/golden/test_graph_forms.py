"""A model as other tools export it gives the logits of the plain one, on native onnxruntime."""

from __future__ import annotations

import asyncio
from pathlib import Path

import onnx
import pytest

from tests.hub import tokenizer_kinds as kinds
from tests.hub.graph_forms import FORMS, REFUSED, Form, plain, without_mask
from tests.hub.tiny_models import write_texts
from tests.hub.tokenizer_kinds import TEXT
from webrerank import UnsupportedModelError, load_reranker

QUERY = "How many people live in Berlin?"
DOCUMENTS = [*TEXT, "a", " ".join(TEXT)]
#: Made once: no two trainings give the same.
TOKENIZER = kinds.word_piece()
CONFIG = {"model_type": "test", "max_position_embeddings": 512}


def save(folder: Path, form: Form) -> Path:
    """A model folder with the plain model in another form."""
    write_texts(folder, CONFIG, TOKENIZER)
    (folder / "onnx").mkdir(exist_ok=True)
    model = form(plain(kinds.vocabulary_size(TOKENIZER)))
    onnx.save(model, str(folder / "onnx" / "model.onnx"))
    return folder


def logits(folder: Path, max_length: int | None = None) -> list[float]:
    ranking = asyncio.run(load_reranker(folder).rerank(QUERY, DOCUMENTS, max_length=max_length))
    found = [one.logit for one in sorted(ranking.results, key=lambda one: one.index)]
    assert all(logit is not None for logit in found)
    return [logit for logit in found if logit is not None]


#: What a form can read less of.
LENGTHS = {"128 tokens": 128, "three pairs of 64 tokens": 64, "all at once": 96}


@pytest.mark.parametrize("name", FORMS)
def test_each_form_gives_the_plain_models_logits(tmp_path: Path, name: str) -> None:
    wanted = logits(save(tmp_path / "plain", lambda model: model), LENGTHS.get(name))
    assert len({round(logit, 3) for logit in wanted}) > 5, "the model tells nothing apart"
    assert logits(save(tmp_path / "form", FORMS[name])) == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_fed_is_refused_with_the_reason(tmp_path: Path, name: str) -> None:
    form, words = REFUSED[name]
    with pytest.raises(UnsupportedModelError) as caught:
        load_reranker(save(tmp_path, form))
    assert all(word in str(caught.value) for word in words), caught.value


def test_a_model_without_a_mask_is_run_without_padding(tmp_path: Path) -> None:
    folder = save(tmp_path / "bare", lambda model: without_mask(_words(model)))
    wanted = logits(save(tmp_path / "plain", lambda model: model))
    assert logits(folder) == pytest.approx(wanted, abs=1e-5)


def test_an_answer_that_the_graph_does_not_declare_is_seen_at_load(tmp_path: Path) -> None:
    def three(model: onnx.ModelProto) -> onnx.ModelProto:
        twice = onnx.helper.make_node("Concat", ["logits"] * 3, ["three"], axis=1)
        model.graph.node.append(twice)
        model.graph.output[0].name = "three"
        model.graph.output[0].type.tensor_type.shape.dim[1].dim_param = "unsaid"
        return model

    with pytest.raises(UnsupportedModelError, match=r"\(1, 3\); a reranker gives \(pairs, 1\)"):
        load_reranker(save(tmp_path, three))


def _words(model: onnx.ModelProto) -> int:
    """Rows of its table of words."""
    return int(model.graph.initializer[0].dims[0])
