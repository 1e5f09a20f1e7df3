"""`python build.py eval`: ranking quality, in the browser and native, on the same lists."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from bench.browser import BrowserPeer, chromium
from bench.collection import Candidates, Collection, load_noveleval, load_trec_dl2019
from bench.document_sets import DocumentSet
from bench.metrics import ndcg, reciprocal_rank
from bench.native_peers import native_peers
from bench.peers import Peer
from bench.report import table
from bench.site import lay_out, served
from bench.summary import kendall_tau
from bench.timing import say
from tools import BuildError

#: Candidates that are reranked; what is behind them stays behind.
DEPTH = 50

RESULTS = Path(__file__).with_name("results")


@dataclass(frozen=True)
class Quality:
    """Means over the queries of a collection."""

    ranking: str
    ndcg_10: float
    mrr_10: float


@dataclass(frozen=True)
class Evaluation:
    """One collection: first stage, native, browser; and how far the latter two agree."""

    collection: str
    queries: int
    qualities: list[Quality]
    kendall_tau: float
    max_difference: float
    same_first: float  #: share of queries with the same first document
    by_query: dict[str, dict[str, float]]  #: nDCG@10


def main(arguments: list[str]) -> int:
    """Evaluate and write."""
    parser = argparse.ArgumentParser(prog="python build.py eval")
    parser.add_argument("--queries", type=int, help="only the first so many of each collection")
    options = parser.parse_args(arguments)
    if options.queries is not None and options.queries < 1:
        parser.error("--queries must be at least 1")
    try:
        collections = [load_trec_dl2019(), load_noveleval()]
        evaluations = evaluate(collections, options.queries)
    except BuildError as error:
        print(f"build.py: {error}", file=sys.stderr)
        return 1
    folder = RESULTS if options.queries is None else RESULTS.parent / "scratch"
    folder.mkdir(parents=True, exist_ok=True)
    numbers = json.dumps([asdict(evaluation) for evaluation in evaluations], indent=1)
    (folder / "eval.json").write_text(numbers + "\n", encoding="utf-8")
    (folder / "eval.md").write_text(markdown(evaluations), encoding="utf-8")
    print(markdown(evaluations))
    return 0


def evaluate(collections: Sequence[Collection], queries: int | None) -> list[Evaluation]:
    """Rerank every list in the browser and natively."""
    lay_out()
    (native,) = (peer for peer in native_peers() if peer.name == "webrerank in CPython")
    with served(isolated=False) as server, chromium() as context:
        browser = BrowserPeer("webrerank in Chromium", context, server.url, "webrerank")
        return [
            _evaluate(collection, native, browser, collection.candidates[:queries])
            for collection in collections
        ]


def _evaluate(
    collection: Collection, native: Peer, browser: Peer, candidates: Sequence[Candidates]
) -> Evaluation:
    names = ["first stage", native.name, browser.name]
    ndcgs: dict[str, list[float]] = {name: [] for name in names}
    ranks: dict[str, list[float]] = {name: [] for name in names}
    taus, differences, same_first = [], [], []
    for number, each in enumerate(candidates, start=1):
        say(f"  {collection.name} {number}/{len(candidates)}")
        documents = DocumentSet(each.query_id, each.query, each.documents[:DEPTH])
        native_logits = native.rerank(documents).logits
        browser_logits = browser.rerank(documents).logits
        grades = collection.grades.get(each.query_id, {})
        reranked = [_reranked(each.document_ids, some) for some in (native_logits, browser_logits)]
        orders = [each.document_ids, *reranked]
        for name, order in zip(names, orders, strict=True):
            ndcgs[name].append(ndcg(order, grades))
            ranks[name].append(reciprocal_rank(order, grades, collection.least_relevant))
        taus.append(kendall_tau(native_logits, browser_logits))
        differences.append(float(np.abs(np.subtract(native_logits, browser_logits)).max()))
        same_first.append(orders[1][0] == orders[2][0])
    return Evaluation(
        collection.name,
        len(candidates),
        [Quality(n, float(np.mean(ndcgs[n])), float(np.mean(ranks[n]))) for n in names],
        float(np.mean(taus)),
        max(differences),
        float(np.mean(same_first)),
        {
            each.query_id: {name: ndcgs[name][place] for name in names}
            for place, each in enumerate(candidates)
        },
    )


def _reranked(ids: Sequence[str], logits: Sequence[float]) -> list[str]:
    """The reranked top, best first, and then the rest as it was; equal scores keep their order."""
    order = sorted(range(len(logits)), key=lambda place: -logits[place])
    return [*(ids[place] for place in order), *ids[len(logits) :]]


def markdown(evaluations: Sequence[Evaluation]) -> str:
    """A table a collection."""
    sections = [
        "# Ranking quality",
        f"The bundled model on the first stage's top {DEPTH}; nDCG@10 and MRR@10 as trec_eval "
        "defines them, all judgements counted.",
    ]
    for each in evaluations:
        rows = [(q.ranking, f"{q.ndcg_10:.4f}", f"{q.mrr_10:.4f}") for q in each.qualities]
        sections += [
            f"## {each.collection}, {each.queries} queries",
            table(["ranking", "nDCG@10", "MRR@10"], rows),
            f"Browser against native: Kendall tau {each.kendall_tau:.4f}, largest difference of a "
            f"logit {each.max_difference:.3f}, same first document {each.same_first:.0%}.",
        ]
    return "\n\n".join(sections) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
