"""Just enough of protobuf's wire format to read a message where it lies, copying nothing.

The half of web/lib/store/protobuf.js that reads. Source: protobuf.dev, "Encoding".
"""

from __future__ import annotations

from collections.abc import Iterator
from mmap import mmap
from typing import TypeAlias

#: What a message is read from; a file of gigabytes as a map of it.
Buffer: TypeAlias = bytes | memoryview | mmap

#: A field: its number, its wire type (0: a number, 2: bytes, text or a message), and where its
#: content begins and ends.
Field: TypeAlias = tuple[int, int, int, int]

#: Fields read of one file at most. The largest models known here have some 100,000; a file that was
#: made to cost time has one every two bytes.
MOST_FIELDS = 1_000_000


class Reader:
    """Reads the messages of one buffer; raises ValueError for what is none."""

    def __init__(self, data: Buffer) -> None:
        self._data = data
        self._left = MOST_FIELDS

    def __len__(self) -> int:
        return len(self._data)

    def fields(self, start: int, end: int) -> Iterator[Field]:
        """Give the fields of the message between two places, each checked to lie within it."""
        at = start
        while at < end:
            self._left -= 1
            if self._left < 0:
                raise ValueError("too many fields")
            tag, body = self._varint(at)
            number, wire = tag >> 3, tag & 7
            if wire == 2:
                size, body = self._varint(body)
                at = body + size
            elif wire == 0:
                _, at = self._varint(body)
            elif wire in (1, 5):
                at = body + (8 if wire == 1 else 4)
            else:
                raise ValueError(f"wire type {wire}")
            if at > end or number < 1:
                raise ValueError("a field leaves its message")
            yield number, wire, body, at

    def numbers(self, body: int, end: int) -> Iterator[int]:
        """Give the whole numbers of a field, which has one or, packed, many; 64 bits, signed."""
        at = body
        while at < end:
            value, at = self._varint(at)
            value &= 2**64 - 1
            yield value - 2**64 if value >= 2**63 else value

    def text(self, body: int, end: int) -> str:
        """Give a field's text."""
        return self.content(body, end).decode()

    def content(self, body: int, end: int) -> bytes:
        """Give a copy of a field's bytes."""
        return bytes(self._data[body:end])

    def _varint(self, at: int) -> tuple[int, int]:
        data = self._data
        try:
            value = data[at]
            if value < 128:
                return value, at + 1
            value &= 127
            for shift in range(7, 70, 7):
                at += 1
                byte = data[at]
                value |= (byte & 127) << shift
                if byte < 128:
                    return value, at + 1
        except IndexError as error:
            raise ValueError("the file ends within a number") from error
        raise ValueError("a number without end")
