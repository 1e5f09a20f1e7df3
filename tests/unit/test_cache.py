"""The score cache: what it keeps, and what it lets go."""

import numpy as np

from tests.fakes import BERT
from webrerank.cache import ScoreCache
from webrerank.pairs import EncodedPair, PairTemplate, Segment


def test_what_was_put_is_there_and_nothing_else() -> None:
    cache = ScoreCache()
    cache.put(b"a", 1.5)
    cache.put(b"zero", 0.0)
    assert (cache.get(b"a"), cache.get(b"zero"), cache.get(b"b")) == (1.5, 0.0, None)


def test_a_second_put_replaces_the_first() -> None:
    cache = ScoreCache(1)
    cache.put(b"a", 1.0)
    cache.put(b"a", 2.0)
    assert cache.get(b"a") == 2.0


def test_the_least_recently_used_goes_first() -> None:
    cache = ScoreCache(3)
    for key in (b"a", b"b", b"c"):
        cache.put(key, 1.0)
    cache.get(b"a")
    cache.put(b"b", 2.0)
    cache.put(b"d", 1.0)
    assert [key for key in (b"a", b"b", b"c", b"d") if cache.get(key) is not None] == [
        b"a",
        b"b",
        b"d",
    ]


def encode(query: list[int], document: list[int], template: PairTemplate = BERT) -> EncodedPair:
    return template.encode(np.asarray(query, np.int32), np.asarray(document, np.int32), 512)


def test_a_pairs_key_is_what_the_model_reads() -> None:
    assert encode([7], [8, 9]).key == encode([7], [8, 9]).key
    others = [encode([7], [9, 8]), encode([7, 8], [9]), encode([8], [7, 9]), encode([7], [8])]
    keys = {pair.key for pair in others} | {encode([7], [8, 9]).key}
    assert len(keys) == 5


def test_a_pairs_key_knows_where_the_query_ends_even_without_special_tokens() -> None:
    plain = PairTemplate((Segment(0, (), 0), Segment(1, (), 1)))
    assert encode([7], [8, 9], plain).key != encode([7, 8], [9], plain).key
