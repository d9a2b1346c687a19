from collections.abc import Sequence
from typing import TypedDict

from xner.projection.options import Candidates, Compat, Constraint, Count, Matcher, Method, Policy, Score, Ties, TopKOrder

class ProjectionKeywords(TypedDict, total=False):
    method: Method
    score: Score
    candidates: Candidates | None
    matcher: Matcher
    constraint: Constraint
    n: int
    min_words: int
    max_words: int | None
    stop_words: Sequence[str]
    count: Count
    ner_labels: Sequence[str] | None
    ner_alpha: float
    ner_threshold: float
    character_threshold: float
    ties: Ties | None
    length_ratio_threshold: float | None
    merge_distance: int
    policy: Policy | None
    top_k: int | None
    top_k_order: TopKOrder
    only_i: bool
    compat: Compat | None

class SentenceKeywords(TypedDict, total=False):
    method: Method
    score: Score
    matcher: Matcher
    constraint: Constraint
    n: int
    min_words: int
    max_words: int | None
    stop_words: Sequence[str]
    count: Count
    ner_labels: Sequence[str] | None
    ner_alpha: float
    ner_threshold: float
    character_threshold: float
    ties: Ties | None
    length_ratio_threshold: float | None
    merge_distance: int
    policy: Policy | None
    top_k: int | None
    top_k_order: TopKOrder
    only_i: bool
    compat: Compat | None
