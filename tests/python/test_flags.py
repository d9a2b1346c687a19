"""Messages about options, as they are typed on the command line."""

from __future__ import annotations

import pytest

from xner.cli.options.flags import as_typed

FLAGS = {"max_words": "--max-words", "method": "--method", "filters": "--filter", "top_k": "--top-k", "lora": "--lora"}


@pytest.mark.parametrize(
    ("message", "typed"),
    [
        ("max_words=3 goes with method='candidates'", "--max-words=3 goes with --method candidates"),
        ("max_words: expected a number", "--max-words: expected a number"),
        ("lora=True goes with filters", "--lora goes with --filter"),
        ("method='x' goes with top_k", "--method='x' goes with --top-k"),
        ("max_words=('a',) goes with top_k", "--max-words a goes with --top-k"),
        ("top_k=2 goes with max_words=('a', 'b')", "--top-k=2 goes with --max-words a,b"),
        ("top_k=2 with method='<='", "--top-k=2 with --method '<='"),
        ("filters go with links", "--filter go with links"),
        ("max_words and method: one of them", "--max-words and --method: one of them"),
        ("top_k is for the method 'x'", "--top-k is for the method 'x'"),
        ("use top_k or max_words", "use --top-k or --max-words"),
        ("filters of the core take no words", "filters of the core take no words"),
        ("--method x goes with --top-k", "--method x goes with --top-k"),
        ("max_words='top_k': expected a number", "--max-words='top_k': expected a number"),
        ("'my/top_k.txt' has no labels", "'my/top_k.txt' has no labels"),
        ("other='x' goes with something", "other='x' goes with something"),
    ],
)
def test_options_are_named_as_they_are_typed(message: str, typed: str) -> None:
    assert as_typed(message, FLAGS) == typed
