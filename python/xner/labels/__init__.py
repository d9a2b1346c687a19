"""Word labels: what a column's tags say, as entity spans and back."""

from __future__ import annotations

from xner._support.faces import listing
from xner.labels.spans import Reading, Scheme, decode, decode_batch, encode, encode_batch
from xner.labels.tags import Tags, TagsSoFar, read_tags

__all__ = ["Reading", "Scheme", "Tags", "TagsSoFar", "decode", "decode_batch", "encode", "encode_batch", "read_tags"]

__dir__ = listing(__all__)
