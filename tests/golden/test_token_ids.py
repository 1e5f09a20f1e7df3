"""What the model reads is what Hugging Face would have given it: the same ids, types and cuts.

Hugging Face encodes and truncates a pair in one step; webrerank encodes texts one by one and puts
the pair together itself, so that it is the same on every runtime.
"""

import asyncio
from pathlib import Path

import numpy as np
import pytest
import tokenizers

from tests.collection import read_collection
from tests.nasty_texts import NASTY
from webrerank.adapters.native import NativeTokenizer
from webrerank.errors import TokenizationError
from webrerank.model import ModelSpec, read_model
from webrerank.pairs import EncodedPair
from webrerank.request import well_formed
from webrerank.tokenization import tokenize

FILES = ("config.json", "tokenizer.json", "tokenizer_config.json")


class Both:
    """Our encoder and Hugging Face's, on one tokenizer.json."""

    def __init__(self, folder: Path) -> None:
        texts = [(folder / name).read_text(encoding="utf-8") for name in FILES]
        self.spec: ModelSpec = read_model(*texts)
        self.ours = NativeTokenizer(self.spec.tokenizer_json)
        self.theirs = tokenizers.Tokenizer.from_str(texts[1])
        self.theirs.no_padding()

    def compare(self, query: str, documents: list[str], max_length: int = 512) -> list[EncodedPair]:
        """Compare each pair with Hugging Face's; gives ours."""
        query, *documents = (well_formed(text) for text in (query, *documents))
        self.theirs.enable_truncation(max_length, strategy="longest_first")
        (query_ids,) = self.ours.encode_batch([query])
        ids = asyncio.run(tokenize(self.ours, documents, max_length, len(query_ids)))
        assert not any(isinstance(one, TokenizationError) for one in ids)
        pairs = [self.spec.template.encode(query_ids, np.asarray(one), max_length) for one in ids]
        wanted = self.theirs.encode_batch([(query, document) for document in documents])
        for document, pair, want in zip(documents, pairs, wanted, strict=True):
            case = (query[:60], document[:60], max_length)
            assert pair.input_ids.tolist() == want.ids, case
            assert pair.token_type_ids.tolist() == want.type_ids, case
            assert set(want.attention_mask) <= {1}, case
        return pairs


@pytest.fixture(scope="module")
def both(model_folder: Path) -> Both:
    return Both(model_folder)


def test_every_document_of_noveleval_with_its_candidate_queries(both: Both, ir: Path) -> None:
    noveleval = read_collection(ir / "noveleval")
    seen: set[str] = set()
    for query_id, document_ids in noveleval.candidates.items():
        documents = [noveleval.documents[one] for one in document_ids]
        both.compare(noveleval.queries[query_id], documents)
        seen.update(document_ids)
    assert len(noveleval.candidates) == len(noveleval.queries) > 20
    rest = [text for one, text in noveleval.documents.items() if one not in seen]
    both.compare("a query that has none of them", rest)
    assert len(noveleval.documents) > 400


@pytest.mark.parametrize("query", ["q", *NASTY.values()], ids=["plain", *NASTY])
def test_nasty_texts_as_query(both: Both, query: str) -> None:
    pairs = both.compare(query, ["a plain document", "red " * 600])
    assert all(len(pair.input_ids) <= 512 for pair in pairs)


@pytest.mark.parametrize("document", NASTY.values(), ids=NASTY)
def test_nasty_texts_as_document(both: Both, document: str) -> None:
    both.compare("a plain query", [document])
    both.compare("a very long query " * 300, [document])


def test_every_cut_of_short_texts(both: Both) -> None:
    documents = ["red " * count for count in range(12)]
    for max_length in range(5, 24):
        for count in range(12):
            both.compare("blue " * count, documents, max_length)


def test_truncated_says_whether_hugging_face_cut(both: Both) -> None:
    for query, document in ((5, 504), (5, 505), (300, 209), (300, 300), (506, 3), (507, 3)):
        (pair,) = both.compare("blue " * query, ["red " * document])
        kept = pair.input_ids.tolist()
        blue, red = (ids.tolist()[0] for ids in both.ours.encode_batch(["blue", "red"]))
        assert pair.query_truncated == (kept.count(blue) < query)
        assert pair.document_truncated == (kept.count(red) < document)


@pytest.mark.parametrize("words", [1, 600])
def test_long_documents(both: Both, words: int) -> None:
    documents = [f"{text} and so on. " * 1_200 for text in NASTY.values() if len(text) < 200]
    pairs = both.compare("blue " * words, documents)
    assert all(pair.document_truncated for pair in pairs)


@pytest.mark.parametrize("max_length", [5, 16, 32, 64, 128])
def test_long_words_wherever_a_long_document_is_cut(both: Both, max_length: int) -> None:
    """A word of more than 100 letters is one token, its start as many as it has letters."""
    digest = "0123456789abcdef" * 8
    documents = [
        "x" * shift + f" {'internationalization ' * count}{digest} {'red fox ' * 1000}"
        for count in range(0, 60, 6)
        for shift in range(0, 120, 30)
    ]
    both.compare("which fox is red?", documents, max_length)
