"""The reranker: checks, tokenises, pairs, schedules, scores and ranks. Knows only the ports."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import Any

from webrerank.cache import ScoreCache
from webrerank.errors import InferenceError, InvalidRequestError, OutOfMemoryError, RerankError
from webrerank.model import ModelSpec
from webrerank.pairs import EncodedPair
from webrerank.ports import SessionPool, Tokenizer
from webrerank.request import RerankRequest, check_request
from webrerank.results import Ranking, RerankResult, RuntimeInfo, Usage, rank_results
from webrerank.schedule import run_pairs
from webrerank.score_sheet import OnProgress, OnResult, ScoreSheet
from webrerank.tokenization import tokenize

#: Tokens of a pair unless asked for more: what most models were trained on. Time and memory grow
#: with the square of it.
DEFAULT_MAX_LENGTH = 512


class Reranker:
    """Scores (query, document) pairs with a cross-encoder and puts the best first.

    Args:
        spec: the model's template and limits.
        tokenizer: the model's tokenizer.
        pool: the model's inference sessions.
        runtime: what to report as having run.
        cache: keeps logits from call to call; None to compute all anew.
        run_bytes: memory that one run may take; None if that is not known.
    """

    def __init__(
        self,
        spec: ModelSpec,
        tokenizer: Tokenizer,
        pool: SessionPool,
        runtime: RuntimeInfo,
        cache: ScoreCache | None = None,
        run_bytes: int | None = None,
    ) -> None:
        self._cache = cache
        self._spec = spec
        self._tokenizer = tokenizer
        self._pool = pool
        self._run_bytes = run_bytes
        self.runtime = runtime

    async def rerank(
        self,
        query: str,
        documents: Sequence[Any],
        *,
        fields: Sequence[str] | None = None,
        top_k: int | None = None,
        min_score: float | None = None,
        max_length: int | None = None,
        long_documents: str = "truncate",
        on_progress: OnProgress | None = None,
        on_result: OnResult | None = None,
    ) -> Ranking:
        """Rank documents by their relevance to a query. Cancel the task to cancel the call.

        Args:
            query: what is looked for; not blank.
            documents: strings, or mappings with a "text" (or with `fields`).
            fields: which keys make up the text; joined by a space, missing ones left out.
            top_k: how many results at most.
            min_score: the lowest score to keep, in [0, 1]. A score is the sigmoid of the logit,
                for comparing within one query; good answers can score low, so choose from your
                own data.
            max_length: the most tokens a pair may have, up to the model's own; by default 512, or
                the model's own if that is less. More costs time and memory by the square.
            long_documents: "truncate": what does not fit is not read, and `truncated` says so.
            on_progress: called with (done, total) documents that are not blank.
            on_result: called with each result as its score, or its error, becomes known; its rank
                is None.

        A document that the model cannot run costs no other: its result has an `error`, no logit
        and score 0, and ranks behind all that were scored. Only if all fail does the call.

        Raises:
            InvalidRequestError: the request is wrong; the message names the field and index.
            RerankError: tokenising or inference failed, for the query or for all documents.
        """
        request = check_request(
            query,
            documents,
            fields=fields,
            top_k=top_k,
            min_score=min_score,
            max_length=max_length,
            long_documents=long_documents,
        )
        return await self.run(request, on_progress, on_result)

    async def run(
        self,
        request: RerankRequest,
        on_progress: OnProgress | None = None,
        on_result: OnResult | None = None,
    ) -> Ranking:
        """Run a checked request; `rerank` says what it does."""
        started = perf_counter()
        if not request.documents:
            return self._ranking([], Usage())
        pairs = await self._encode(request)
        encoded = perf_counter()
        sheet = ScoreSheet(request.documents, pairs, on_progress, on_result)
        scored = await self._score(sheet)
        if sheet.first_error and sheet.failed == sheet.total:
            raise sheet.first_error
        ended = perf_counter()
        usage = Usage(
            documents=len(request.documents),
            pairs=len(scored),
            cached=sheet.total - sheet.failed - len(scored),
            failed=sheet.failed,
            tokens=sum(len(pair.input_ids) for pair in scored),
            query_truncated=any(pair.query_truncated for pair in sheet.pairs.values()),
            tokenize_ms=(encoded - started) * 1000,
            inference_ms=(ended - encoded) * 1000,
            total_ms=(ended - started) * 1000,
        )
        return self._ranking(rank_results(sheet.results, request.top_k, request.min_score), usage)

    async def _encode(self, request: RerankRequest) -> list[EncodedPair | RerankError | None]:
        """Encode each document with the query; None for a blank document."""
        (query,) = self._tokenizer.encode_batch([request.query])
        if not len(query):
            raise InvalidRequestError(
                "query has no character that the model can read: it must have one."
            )
        max_length = min(request.max_length or DEFAULT_MAX_LENGTH, self._spec.max_length)
        least = self._spec.template.special_count + 2
        if max_length < least:
            raise InvalidRequestError(
                f"{{option}} must be at least {least} for this model.", option="max_length"
            )
        documents = await tokenize(self._tokenizer, request.texts, max_length, len(query))
        return [
            ids
            if isinstance(ids, RerankError)
            else self._spec.template.encode(query, ids, max_length)
            if len(ids)
            else None
            for ids in documents
        ]

    async def _score(self, sheet: ScoreSheet) -> list[EncodedPair]:
        """Fill the sheet, from the cache where it can; gives the pairs that the model scored."""
        sheet.fail_unreadable()
        missing: dict[bytes, EncodedPair] = {}
        for key, pair in sheet.pairs.items():
            logit = self._cache.get(key) if self._cache else None
            if logit is not None:
                sheet.fill(key, logit)
            elif error := self._too_large(pair):
                sheet.fail(key, error)
            else:
                missing[key] = pair
        keys = list(missing)
        scored: list[EncodedPair] = []

        def on_logit(place: int, logit: float) -> None:
            if self._cache:
                self._cache.put(keys[place], logit)
            scored.append(missing[keys[place]])
            sheet.fill(keys[place], logit)

        def on_failure(place: int, error: InferenceError) -> None:
            sheet.fail(keys[place], error)

        pairs = list(missing.values())
        await run_pairs(pairs, self._pool, self._spec.pad_id, on_logit, on_failure)
        return scored

    def _too_large(self, pair: EncodedPair) -> OutOfMemoryError | None:
        """Why a pair is not run: it would take the session down with it."""
        length = len(pair.input_ids)
        needed = self._spec.run_bytes(length)
        if self._run_bytes is None or needed <= self._run_bytes:
            return None
        return OutOfMemoryError(
            f"A pair of {length} tokens takes this model at least {needed / 2**30:.1f} GiB of "
            f"memory, and a run may have {self._run_bytes / 2**30:.1f}. Give a smaller {{option}}, "
            "use fewer sessions, or choose a smaller model.",
            option="max_length",
            retryable=False,
        )

    def _ranking(self, results: list[RerankResult], usage: Usage) -> Ranking:
        return Ranking(results=results, usage=usage, **vars(self.runtime))
