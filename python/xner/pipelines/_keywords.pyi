import collections.abc
import typing
import xner.filters.base

class PipelineKeywords(typing.TypedDict, total=False):
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
    translate_to: str | None
    source_language: str | None
    target_language: str | None
    markers: typing.Optional[typing.Literal['auto', 'brackets', 'tags']]
    broken_markers: typing.Literal['align', 'drop']
    memory: bool | None
    names_memory: str
    filters: collections.abc.Sequence[str | xner.filters.base.Filter]
    drop_rows: bool
    nested: typing.Literal['error', 'keep', 'outermost', 'innermost', 'compete']
    corrections: str | None
    on_error: typing.Literal['raise', 'skip']
    threads: int
    engine: typing.Literal['local', 'ray']
    address: str | None
    aligner: collections.abc.Sequence[str]
    aligner_model: collections.abc.Sequence[str]
    combine: typing.Optional[typing.Literal['union', 'intersect', 'vote', 'mean']]
    decode: typing.Optional[typing.Literal['discriminative', 'posterior', 'viterbi']]
    symmetrization: typing.Optional[typing.Literal['intersect', 'union', 'grow-diag', 'grow-diag-final', 'grow-diag-final-and']]
    threshold: typing.Union[float, typing.Literal['auto'], None]
    layer: int | None
    extraction: typing.Optional[typing.Literal['fwd', 'rev', 'inter', 'itermax', 'mwmf', 'softmax', 'entmax15']]
    lexicon: collections.abc.Sequence[str]
    aligner_memory: str | None
    aligner_device: str
    aligner_engine: typing.Literal['transformers', 'ctranslate2']
    aligner_dtype: typing.Union[typing.Literal['auto', 'float32', 'float16', 'bfloat16'], typing.Literal['int8']]
    aligner_token_budget: int | None
    aligner_compile: bool
    tagger: str | None
    classes: collections.abc.Sequence[str]
    class_map: collections.abc.Sequence[str]
    ignore_class: collections.abc.Sequence[str]
    tagger_threshold: float
    tagger_device: str
    translator: str | None
    translations: str | None
    base_url: str | None
    translator_timeout: float | None
    translator_engine: str
    translator_device: str
    translator_dtype: str
    beams: int
    length_ratio: float
    cache: str | None
    words: str | None
    keep_bad: bool
