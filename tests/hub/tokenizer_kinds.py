"""One small tokenizer of each real type, made with Hugging Face tokenizers itself."""

from __future__ import annotations

import json
from typing import Any

from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

TEXT = [
    "Berlin has a population of 3,520,031 registered inhabitants in an area of 891.82 km².",
    "New York City is famous for the Metropolitan Museum of Art. How many people live in Berlin?",
    "The quick brown fox jumps over the lazy dog; pack my box with five dozen liquor jugs!",
    "Ein Reranker liest die Frage und jedes Dokument zusammen und bewertet, was passt.",
    "def rerank(query, documents): return sorted(documents, key=lambda d: -score(query, d))",
    "café naïve Straße 東京 тест 🙂",
]

Values = dict[str, Any]


def word_piece() -> Values:
    """BERT: `[CLS] A [SEP] B [SEP]`, types 0 and 1."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(
        TEXT, trainers.WordPieceTrainer(vocab_size=400, special_tokens=special, show_progress=False)
    )
    tokenizer.post_processor = template(tokenizer, "[CLS] $A [SEP] $B:1 [SEP]:1")
    # As many repositories have it; both must be ignored, or every text is padded.
    tokenizer.enable_truncation(64)
    tokenizer.enable_padding(length=64)
    return _values(tokenizer)


def unigram_xlm_roberta() -> Values:
    """XLM-RoBERTa: `<s> A </s> </s> B </s>`, one type, padding id 1."""
    tokenizer = _unigram(["<s>", "<pad>", "</s>", "<unk>", "<mask>"], "<unk>")
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.post_processor = template(tokenizer, "<s> $A </s> </s> $B </s>")
    return _values(tokenizer)


def unigram_deberta() -> Values:
    """DeBERTa-v2: BERT's template over Unigram."""
    tokenizer = _unigram(["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"], "[UNK]")
    tokenizer.normalizer = normalizers.Sequence([normalizers.Strip(), normalizers.NFKC()])
    tokenizer.post_processor = template(tokenizer, "[CLS] $A [SEP] $B:1 [SEP]:1")
    return _values(tokenizer)


def byte_level_modernbert() -> Values:
    """ModernBERT: byte-level BPE, BERT's template with one type."""
    tokenizer = _byte_level(["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"], False)
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.post_processor = template(tokenizer, "[CLS] $A [SEP] $B [SEP]")
    return _values(tokenizer)


def byte_level_gpt() -> Values:
    """GPT-style: no special tokens around a pair."""
    tokenizer = _byte_level(["<|endoftext|>"], False)
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return _values(tokenizer)


def byte_level_roberta() -> Values:
    """RoBERTa's own post-processor: `<s> A </s></s> B </s>`."""
    tokenizer = _byte_level(["<s>", "<pad>", "</s>", "<unk>", "<mask>"], True)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return _values(tokenizer)


def byte_level_sequence() -> Values:
    """Llama-3-style: a Sequence of ByteLevel and a template."""
    tokenizer = _byte_level(["[PAD]", "[CLS]", "[SEP]"], False)
    last = template(tokenizer, "[CLS] $A [SEP] $B [SEP]")
    tokenizer.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), last])
    return _values(tokenizer)


def bert_processing() -> Values:
    """Older BERT files name their template by type."""
    values = word_piece()
    vocabulary = values["model"]["vocab"]
    sep, cls = ([token, vocabulary[token]] for token in ("[SEP]", "[CLS]"))
    return {**values, "post_processor": {"type": "BertProcessing", "sep": sep, "cls": cls}}


def large_unigram(size: int) -> Values:
    """A vocabulary as large as XLM-RoBERTa's; the pieces mean nothing."""
    values = unigram_xlm_roberta()
    pieces = values["model"]["vocab"]
    made = [[f"▁{number:x}", -10 - number / size] for number in range(size - len(pieces))]
    return {**values, "model": {**values["model"], "vocab": [*pieces, *made]}}


def vocabulary_size(values: Values) -> int:
    """How many ids there are."""
    return Tokenizer.from_str(json.dumps(values)).get_vocab_size()


def template(tokenizer: Tokenizer, pair: str) -> processors.TemplateProcessing:
    """The post-processor that puts a pair together like this."""
    tokens = {word.split(":")[0] for word in pair.split() if not word.startswith("$")}
    return processors.TemplateProcessing(
        single=pair.partition(" $B")[0],
        pair=pair,
        special_tokens=[(token, tokenizer.token_to_id(token)) for token in sorted(tokens)],
    )


def _unigram(special: list[str], unknown: str) -> Tokenizer:
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=300, special_tokens=special, unk_token=unknown, show_progress=False
    )
    tokenizer.train_from_iterator(TEXT, trainer)
    return tokenizer


def _byte_level(special: list[str], add_prefix_space: bool) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=add_prefix_space)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=500,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXT, trainer)
    return tokenizer


def _values(tokenizer: Tokenizer) -> Values:
    values: Values = json.loads(tokenizer.to_str())
    return values
