"""Hypothesis strategies for words and labels with the characters that break naive readers."""

from __future__ import annotations

from hypothesis import strategies as st

# No-break space, ideographic space, zero-width joiner and space, line separator, next line, byte order mark,
# form feed, vertical tab, file separator, soft hyphen, a character outside the first plane, a combining mark.
ODD = "\u00a0\u3000\u200d\u200b\u2028\u0085\ufeff\x0c\x0b\x1c\u00ad\U0001f600\u0301#-|O"

characters = st.sampled_from(ODD) | st.characters(exclude_categories=["Cs"], exclude_characters=" \t\n\r")
words = st.text(characters, min_size=1, max_size=5)
classes = st.sampled_from(["PER", "LOC", "ORG", "LOC-GPE", "_", "é"])
tags = st.just("O") | st.builds("{}-{}".format, st.sampled_from("BIES"), classes)
sentences = st.lists(words, max_size=5)
tagged_sentences = st.lists(st.tuples(words, tags), max_size=5)
