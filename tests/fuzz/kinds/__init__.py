"""What can be fuzzed, by name."""

from __future__ import annotations

from collections.abc import Callable

from tests.fuzz.case import Kind
from tests.fuzz.kinds.hosts import Hosts
from tests.fuzz.kinds.messages import Messages
from tests.fuzz.kinds.models import Models
from tests.fuzz.kinds.records import Records
from tests.fuzz.kinds.requests import Requests
from tests.fuzz.kinds.tokenizers import Tokenizers
from tests.fuzz.lab import Lab
from tests.fuzz.oracle import Oracle

KINDS: dict[str, Callable[[Lab, Oracle], Kind]] = {
    "models": Models,
    "tokenizers": Tokenizers,
    "hosts": Hosts,
    "records": Records,
    "messages": Messages,
    "requests": Requests,
}


def make_kind(name: str, lab: Lab, oracle: Oracle) -> Kind:
    """A kind that works in a lab."""
    return KINDS[name](lab, oracle)
