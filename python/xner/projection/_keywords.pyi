import collections.abc
import typing

class ProjectionKeywords(typing.TypedDict, total=False):
    method: typing.Literal['candidates', 'heuristic']
    score: str | collections.abc.Mapping[str, float]
    candidates: typing.Optional[typing.Literal['aligned_ends', 'aligned', 'ngram', 'given']]
    matcher: typing.Literal['exact', 'greedy', 'ortools', 'milp']
    constraint: typing.Literal['<=', '=', '>=', '<', '>']
    n: int
    min_words: int
    max_words: int | None
    stop_words: collections.abc.Sequence[str]
    count: typing.Literal['links', 'words', 'weighted']
    ner_labels: collections.abc.Sequence[str] | None
    ner_alpha: float
    ner_threshold: float
    character_threshold: float
    ties: typing.Optional[typing.Literal['first', 'evidence']]
    length_ratio_threshold: float | None
    merge_distance: int
    policy: typing.Optional[typing.Literal['overwrite', 'skip']]
    top_k: int | None
    top_k_order: typing.Literal['shortest', 'longest']
    only_i: bool
    compat: typing.Optional[typing.Literal['politov2025', 'shkalikov2024']]

class SentenceKeywords(typing.TypedDict, total=False):
    method: typing.Literal['candidates', 'heuristic']
    score: str | collections.abc.Mapping[str, float]
    matcher: typing.Literal['exact', 'greedy', 'ortools', 'milp']
    constraint: typing.Literal['<=', '=', '>=', '<', '>']
    n: int
    min_words: int
    max_words: int | None
    stop_words: collections.abc.Sequence[str]
    count: typing.Literal['links', 'words', 'weighted']
    ner_labels: collections.abc.Sequence[str] | None
    ner_alpha: float
    ner_threshold: float
    character_threshold: float
    ties: typing.Optional[typing.Literal['first', 'evidence']]
    length_ratio_threshold: float | None
    merge_distance: int
    policy: typing.Optional[typing.Literal['overwrite', 'skip']]
    top_k: int | None
    top_k_order: typing.Literal['shortest', 'longest']
    only_i: bool
    compat: typing.Optional[typing.Literal['politov2025', 'shkalikov2024']]
