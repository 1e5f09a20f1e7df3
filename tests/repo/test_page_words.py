"""What our page says of an error, asked of its pure functions in Node."""

import json
import subprocess
from typing import Any

import pytest

from tests.repo.messages import RETRYABLE
from tests.repo.sources import WEB

SCRIPT = """
const { failureWords, storingWords } = await import(process.argv[1] + 'app/failure-words.js');
const { RerankError } = await import(process.argv[1] + 'webrerank.js');
const choice = { name: 'x', model: 'x' };
const plain = { loaded: true, choice, standIn: null };
const told = JSON.parse(process.argv[2]).flatMap((code) =>
  [true, false].map((retryable) => {
    const error = new RerankError(code, 'It is so. Do this.', { retryable });
    return { code, retryable, shown: failureWords(error, plain), stored: storingWords(error) };
  }));
const wrong = new RerankError('invalid_request', 'For programmers.');
console.log(JSON.stringify({
  told,
  foreign: failureWords(new TypeError('secret'), plain),
  foreignStored: storingWords(new TypeError('secret')),
  unknown: failureWords(wrong, { loaded: false, choice, standIn: null }),
  files: failureWords(wrong, { loaded: false, choice: { name: 'x', model: [] }, standIn: choice }),
}));
"""


@pytest.fixture(scope="module")
def words() -> dict[str, Any]:
    arguments = [f"{WEB.as_uri()}/", json.dumps(list(RETRYABLE))]
    command = ["node", "--input-type=module", "--eval", SCRIPT, *arguments]
    ran = subprocess.run(command, capture_output=True, check=True, encoding="utf-8")
    answer: dict[str, Any] = json.loads(ran.stdout)
    return answer


def test_the_librarys_words_are_shown_as_they_are(words: dict[str, Any]) -> None:
    assert len(words["told"]) == 2 * len(RETRYABLE)
    for told in words["told"]:
        assert told["shown"]["message"] == told["stored"] == "It is so. Do this."
        assert told["shown"]["retryable"] is told["retryable"]
        assert told["shown"]["headline"]


def test_a_foreign_error_is_never_quoted(words: dict[str, Any]) -> None:
    for message in (words["foreign"]["message"], words["foreignStored"]):
        assert "secret" not in message and "Try again" in message
    assert words["foreign"]["retryable"]


def test_an_unknown_name_says_what_to_give(words: dict[str, Any]) -> None:
    unknown = words["unknown"]
    assert not unknown["retryable"] and "again" not in unknown["message"]
    assert "Choose one from the list" in unknown["message"]
    assert words["files"]["message"] == "For programmers. In use instead: x."
