"""
The native core of xner.
"""
from __future__ import annotations
import collections.abc
import enum
import numpy
import numpy.typing
import typing
__all__: list[str] = ['AlignerCorpus', 'AlignerModel', 'AlignerOptions', 'AlignerStatistics', 'CandidateKind', 'Count', 'ExportedArray', 'ExtractionMethod', 'ExtractionOptions', 'MatcherKind', 'Method', 'NerLabels', 'OverlapPolicy', 'ProjectOptions', 'ProjectionMemory', 'Reading', 'Relation', 'STATUS_NAMES', 'Scheme', 'ScoreOptions', 'SentencePair', 'Symmetrization', 'TextIndex', 'Ties', 'TopKOrder', 'align_discriminative', 'align_posterior', 'align_viterbi', 'character_scores', 'check_array', 'copy_parts', 'decode_label_lists', 'decode_labels', 'encode_label_lists', 'entity_candidates', 'extract_link_lists', 'extract_links', 'extract_padded_link_lists', 'fit_aligner', 'is_utf8', 'link_classifier_weights', 'link_features', 'ner_scores', 'ner_span_scores', 'ngram_candidates', 'project_batch', 'project_sentence', 'score_pairs', 'simd_levels', 'solve_matching', 'split_at_tabs', 'symmetrize']
class ExportedArray:
    """
    A result array; `pyarrow.array` or `pyarrow.record_batch` takes it over, once.
    """
    def __arrow_c_array__(self, requested_schema: typing.Any = None) -> tuple[typing.Any, typing.Any]:
        """
        The pair of capsules of the Arrow PyCapsule interface.
        """
class Scheme(enum.Enum):
    """
    How tags spell entities.
    """
    BIOES = ...
    IOB1 = ...
    IOB2 = ...
class Reading(enum.Enum):
    """
    What to do with tags that the scheme does not allow.
    """
    lenient = ...
    strict = ...
    validate = ...
class Symmetrization(enum.Enum):
    """
    How two directional alignments become one.
    """
    grow_diag = ...
    grow_diag_final = ...
    grow_diag_final_and = ...
    intersect = ...
    union = ...
class ExtractionMethod(enum.Enum):
    """
    How a similarity matrix becomes links.
    """
    entmax15 = ...
    forward = ...
    intersect = ...
    itermax = ...
    mwmf = ...
    reverse = ...
    softmax = ...
class ExtractionOptions:
    """
    See xner.links.extract.
    """
    method: ExtractionMethod
    def __init__(self) -> None:
        ...
    @property
    def alpha(self) -> float:
        ...
    @alpha.setter
    def alpha(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    @property
    def distortion(self) -> float:
        ...
    @distortion.setter
    def distortion(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    @property
    def max_count(self) -> int:
        ...
    @max_count.setter
    def max_count(self, arg0: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    @property
    def null_threshold(self) -> float | None:
        ...
    @null_threshold.setter
    def null_threshold(self, arg0: typing.SupportsFloat | typing.SupportsIndex | None) -> None:
        ...
    @property
    def threshold(self) -> float:
        ...
    @threshold.setter
    def threshold(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
class CandidateKind(enum.Enum):
    """
    Which target spans are candidates.
    """
    aligned = ...
    aligned_ends = ...
    given = ...
    ngram = ...
class Count(enum.Enum):
    """
    What the alignment score counts.
    """
    links = ...
    weighted = ...
    words = ...
class Ties(enum.Enum):
    """
    What decides between equal scores.
    """
    evidence = ...
    first = ...
class NerLabels:
    """
    A tagger's label names, checked.
    """
    def __init__(self, names: collections.abc.Sequence[str]) -> None:
        ...
    def __len__(self) -> int:
        """
        Number of labels.
        """
class ScoreOptions:
    """
    What is scored, and how.
    """
    def __init__(self, *, candidates: CandidateKind | None, min_words: typing.SupportsInt | typing.SupportsIndex, max_words: typing.SupportsInt | typing.SupportsIndex | None, alignment: typing.SupportsFloat | typing.SupportsIndex, ner: typing.SupportsFloat | typing.SupportsIndex, ner_spans: typing.SupportsFloat | typing.SupportsIndex, characters: typing.SupportsFloat | typing.SupportsIndex, nmt: typing.SupportsFloat | typing.SupportsIndex, count: Count, links_are_a_set: bool, ner_labels: collections.abc.Sequence[str], ner_alpha: typing.SupportsFloat | typing.SupportsIndex, ner_threshold: typing.SupportsFloat | typing.SupportsIndex, character_threshold: typing.SupportsFloat | typing.SupportsIndex, ties: Ties) -> None:
        """
        See xner.projection.ProjectionOptions.
        """
    @property
    def candidates(self) -> CandidateKind:
        """
        The kind of the candidates of sentences without hints below 0.
        """
class MatcherKind(enum.Enum):
    """
    How pairs are chosen.
    """
    exact = ...
    greedy = ...
class Relation(enum.Enum):
    """
    Number of projections of an entity, against n.
    """
    equal = ...
    greater = ...
    greater_equal = ...
    less = ...
    less_equal = ...
class Method(enum.Enum):
    """
    How labels are projected.
    """
    candidates = ...
    heuristic = ...
class OverlapPolicy(enum.Enum):
    """
    What the heuristic does with a range on labelled words.
    """
    overwrite = ...
    skip = ...
class TopKOrder(enum.Enum):
    """
    Which ranges top_k keeps.
    """
    longest = ...
    shortest = ...
class ProjectOptions:
    """
    Checked options of the projector.
    """
    def __init__(self, *, method: Method, matcher: MatcherKind, relation: Relation, n: typing.SupportsInt | typing.SupportsIndex, score: ScoreOptions, hint_columns: collections.abc.Sequence[tuple[str, typing.SupportsFloat | typing.SupportsIndex]], stop_words: collections.abc.Sequence[str], length_ratio_threshold: typing.SupportsFloat | typing.SupportsIndex | None, merge_distance: typing.SupportsInt | typing.SupportsIndex, policy: OverlapPolicy, top_k: typing.SupportsInt | typing.SupportsIndex | None, top_k_order: TopKOrder, only_i: bool, canonical_order: bool) -> None:
        """
        See xner.projection.ProjectionOptions.
        """
class SentencePair:
    """
    One sentence pair, as single calls take it.
    """
    def __init__(self, *, tokens: collections.abc.Sequence[str], entities: collections.abc.Sequence[tuple[typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex, str]], links: collections.abc.Sequence[tuple[typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex]], link_scores: collections.abc.Sequence[typing.SupportsFloat | typing.SupportsIndex], candidates: collections.abc.Sequence[tuple[typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex]], source_words: typing.SupportsInt | typing.SupportsIndex, hints: collections.abc.Sequence[tuple[typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex, typing.SupportsFloat | typing.SupportsIndex]], probabilities: numpy.typing.NDArray[numpy.float32], source_text: collections.abc.Sequence[str], target_text: collections.abc.Sequence[str]) -> None:
        ...
class ProjectionMemory:
    """
    What a corpus has projected entities onto.
    """
    def __getstate__(self) -> tuple[list[tuple[bytes, list[tuple[list[int], int]]]], list[int]]:
        ...
    def __init__(self) -> None:
        ...
    def __len__(self) -> int:
        ...
    def __setstate__(self, arg0: tuple[collections.abc.Sequence[tuple[bytes, collections.abc.Sequence[tuple[collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex], typing.SupportsInt | typing.SupportsIndex]]]], collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex]]) -> None:
        ...
    def recall(self, batch: typing.Any, *, least: typing.SupportsInt | typing.SupportsIndex, weight: typing.SupportsFloat | typing.SupportsIndex, all_remembered: bool = False, threads: typing.SupportsInt | typing.SupportsIndex) -> ExportedArray:
        """
        Hints for the source entities of a batch.
        """
    def remember(self, batch: typing.Any) -> None:
        """
        Adds the projected entities of a batch.
        """
    def remember_counts(self, batch: typing.Any) -> None:
        """
        Adds projections that were counted elsewhere.
        """
class AlignerOptions:
    """
    What training depends on; see xner.alignment.AlignerOptions.
    """
    def __init__(self) -> None:
        ...
    @property
    def alpha(self) -> float:
        ...
    @alpha.setter
    def alpha(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    @property
    def base_weight(self) -> float:
        ...
    @base_weight.setter
    def base_weight(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    @property
    def cue_halving(self) -> float:
        ...
    @cue_halving.setter
    def cue_halving(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    @property
    def diagonal(self) -> float:
        ...
    @diagonal.setter
    def diagonal(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    @property
    def hmm_iterations(self) -> int:
        ...
    @hmm_iterations.setter
    def hmm_iterations(self, arg0: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    @property
    def ibm1_iterations(self) -> int:
        ...
    @ibm1_iterations.setter
    def ibm1_iterations(self, arg0: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    @property
    def jump_clip(self) -> int:
        ...
    @jump_clip.setter
    def jump_clip(self, arg0: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    @property
    def jump_smoothing(self) -> float:
        ...
    @jump_smoothing.setter
    def jump_smoothing(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    @property
    def kind_weight(self) -> float:
        ...
    @kind_weight.setter
    def kind_weight(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    @property
    def length_weight(self) -> float:
        ...
    @length_weight.setter
    def length_weight(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    @property
    def letter_weight(self) -> float:
        ...
    @letter_weight.setter
    def letter_weight(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    @property
    def null_base_weight(self) -> float:
        ...
    @null_base_weight.setter
    def null_base_weight(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    @property
    def null_probability(self) -> float:
        ...
    @null_probability.setter
    def null_probability(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    @property
    def prior_weight(self) -> float:
        ...
    @prior_weight.setter
    def prior_weight(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    @property
    def similarity_floor(self) -> float:
        ...
    @similarity_floor.setter
    def similarity_floor(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    @property
    def similarity_power(self) -> float:
        ...
    @similarity_power.setter
    def similarity_power(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
class AlignerCorpus:
    """
    Sentence pairs as word ids, with levels of folding.
    """
    def __init__(self, source_offsets: numpy.typing.NDArray[numpy.int64], source: numpy.typing.NDArray[numpy.int32], source_kinds: numpy.typing.NDArray[numpy.uint8], target_offsets: numpy.typing.NDArray[numpy.int64], target: numpy.typing.NDArray[numpy.int32], target_kinds: numpy.typing.NDArray[numpy.uint8]) -> None:
        ...
    def add_level(self, source_types: numpy.typing.NDArray[numpy.int32], source_text_offsets: numpy.typing.NDArray[numpy.int64], source_text: numpy.typing.NDArray[numpy.uint32], target_types: numpy.typing.NDArray[numpy.int32], target_text_offsets: numpy.typing.NDArray[numpy.int64], target_text: numpy.typing.NDArray[numpy.uint32]) -> None:
        """
        Adds a level: the type of each word, and each type's code points.
        """
    def set_lexicon(self, level: typing.SupportsInt | typing.SupportsIndex, offsets: numpy.typing.NDArray[numpy.int64], targets: numpy.typing.NDArray[numpy.int32], weights: numpy.typing.NDArray[numpy.float32]) -> None:
        """
        By source type of a level: target types in ascending order, and their pseudo-counts.
        """
class AlignerModel:
    """
    A fitted aligner. Never changes.
    """
    def __init__(self, options: AlignerOptions, levels: typing.SupportsInt | typing.SupportsIndex, sentence_pairs: typing.SupportsInt | typing.SupportsIndex, arrays: dict[str, numpy.ndarray], *, is_input: bool) -> None:
        """
        The model of which arrays() are `arrays`; they are kept, not copied, and so must not change. Where the model is input, aligning looks at the pairs of types that it takes; otherwise all are looked at now.
        """
    def arrays(self) -> dict[str, numpy.ndarray]:
        """
        Copies of all arrays, by name.
        """
    @property
    def sentence_pairs(self) -> int:
        ...
class TextIndex:
    """
    Texts by number, and their numbers by text. Never changes.
    """
    @staticmethod
    def of(texts: collections.abc.Sequence[str]) -> TextIndex:
        """
        Of texts that differ from each other, in UTF-8.
        """
    def __init__(self, offsets: numpy.typing.NDArray[numpy.int64], bytes: numpy.typing.NDArray[numpy.uint8], slots: numpy.typing.NDArray[numpy.uint32]) -> None:
        """
        The index that has these arrays; they are kept, not copied, and so must not change.
        """
    def __len__(self) -> int:
        ...
    def find(self, texts: collections.abc.Sequence[str]) -> numpy.typing.NDArray[numpy.int32]:
        """
        The number of each text, -1 for those that are not there.
        """
    @property
    def bytes(self) -> numpy.typing.NDArray[numpy.uint8]:
        """
        All texts, one after the other, in UTF-8.
        """
    @property
    def offsets(self) -> numpy.typing.NDArray[numpy.int64]:
        """
        By text, one more at the end: where it begins.
        """
    @property
    def slots(self) -> numpy.typing.NDArray[numpy.uint32]:
        """
        The hash table.
        """
class AlignerStatistics:
    """
    What blocks of a corpus have taught, at first none.
    """
    def __getstate__(self) -> tuple[tuple[float, float, int, int, int], dict[str, numpy.ndarray]]:
        ...
    @typing.overload
    def __init__(self) -> None:
        ...
    @typing.overload
    def __init__(self, numbers: tuple[typing.SupportsFloat | typing.SupportsIndex, typing.SupportsFloat | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex], arrays: dict[str, numpy.ndarray]) -> None:
        """
        The statistics of which these are numbers() and arrays().
        """
    def __setstate__(self, arg0: tuple[tuple[typing.SupportsFloat | typing.SupportsIndex, typing.SupportsFloat | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex], dict[str, numpy.ndarray]]) -> None:
        ...
    def add(self, block: AlignerStatistics, *, source_words: numpy.typing.NDArray[numpy.int32], target_words: numpy.typing.NDArray[numpy.int32], types: collections.abc.Sequence[tuple[typing.Annotated[numpy.typing.ArrayLike, numpy.int32], typing.Annotated[numpy.typing.ArrayLike, numpy.int32]]], most_entries: typing.SupportsInt | typing.SupportsIndex) -> None:
        """
        Adds what a block has taught. By word of the block, and by type of both sides and each level: its number in the sums.
        """
    def arrays(self) -> dict[str, numpy.ndarray]:
        """
        Copies of all arrays, by name.
        """
    def copy(self) -> AlignerStatistics:
        ...
    def fit(self, block: AlignerCorpus, options: AlignerOptions, *, threads: typing.SupportsInt | typing.SupportsIndex, progress: typing.Any) -> AlignerStatistics:
        """
        What a further block teaches, whose words and types begin with those of these statistics; they are what it goes on from.
        """
    def model(self, options: AlignerOptions, last: AlignerCorpus) -> AlignerModel:
        """
        The model of all blocks so far; `last` has all their words and types.
        """
    def numbers(self) -> tuple[float, float, int, int, int]:
        """
        What is no array: far jumps, sentence pairs, blocks, levels.
        """
def align_discriminative(model: AlignerModel, corpus: AlignerCorpus, maps: collections.abc.Sequence[tuple[typing.Annotated[numpy.typing.ArrayLike, numpy.int32], typing.Annotated[numpy.typing.ArrayLike, numpy.int32]]], *, threshold: typing.SupportsFloat | typing.SupportsIndex | None, threads: typing.SupportsInt | typing.SupportsIndex) -> tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray, numpy.ndarray]:
    """
    Links that the classifier gives a probability above the threshold, or, without one, those of highest expected F1: offsets, source, target, score.
    """
def align_posterior(model: AlignerModel, corpus: AlignerCorpus, maps: collections.abc.Sequence[tuple[typing.Annotated[numpy.typing.ArrayLike, numpy.int32], typing.Annotated[numpy.typing.ArrayLike, numpy.int32]]], *, threshold: typing.SupportsFloat | typing.SupportsIndex, least_association: typing.SupportsFloat | typing.SupportsIndex, threads: typing.SupportsInt | typing.SupportsIndex) -> tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray, numpy.ndarray]:
    """
    Links scored above the threshold: offsets, source, target, score.
    """
def align_viterbi(model: AlignerModel, corpus: AlignerCorpus, maps: collections.abc.Sequence[tuple[typing.Annotated[numpy.typing.ArrayLike, numpy.int32], typing.Annotated[numpy.typing.ArrayLike, numpy.int32]]], *, method: Symmetrization, threads: typing.SupportsInt | typing.SupportsIndex) -> tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray, numpy.ndarray]:
    """
    Symmetrised Viterbi alignments: offsets, source, target, score.
    """
def character_scores(source: collections.abc.Sequence[str], target: collections.abc.Sequence[str], entities: numpy.typing.NDArray[numpy.int32], candidates: numpy.typing.NDArray[numpy.int32], *, threshold: typing.SupportsFloat | typing.SupportsIndex) -> numpy.typing.NDArray[numpy.float64]:
    """
    Edit similarities of entities and candidates, of folded words.
    """
def check_array(array: typing.Any, what: str, *, texts: bool) -> bool:
    """
    Checks what decides where the memory of an array is read and, with `texts`, that strings are UTF-8; `what` is what errors call it. False where its layout is not one of those that the core reads.
    """
def copy_parts(data: bytes, starts: typing.Annotated[numpy.typing.ArrayLike, numpy.int64], ends: typing.Annotated[numpy.typing.ArrayLike, numpy.int64]) -> tuple[numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.uint8]]:
    """
    Offsets and bytes of parts of the data, one after the other.
    """
def decode_label_lists(labels: typing.Any, *, column: str, scheme: Scheme, reading: Reading, threads: typing.SupportsInt | typing.SupportsIndex) -> ExportedArray:
    """
    decode_labels over a list<string> array.
    """
def decode_labels(labels: collections.abc.Sequence[str], *, scheme: Scheme, reading: Reading) -> list[tuple[int, int, str]]:
    """
    Entities (start, end, label) that the labels of one sentence spell.
    """
def encode_label_lists(entities: typing.Any, tokens: typing.Any, *, column: str, threads: typing.SupportsInt | typing.SupportsIndex) -> ExportedArray:
    """
    IOB2 labels for the entities of every sentence.
    """
def entity_candidates(pair: SentencePair, options: ProjectOptions) -> list[numpy.typing.NDArray[numpy.int32]]:
    """
    For every entity the spans that are scored, n x 2; without those that only hints know.
    """
def extract_link_lists(similarities: list[typing.Any], source_words: list[typing.Any] | None, target_words: list[typing.Any] | None, options: ExtractionOptions, *, threads: typing.SupportsInt | typing.SupportsIndex) -> ExportedArray:
    """
    Links of each of a list of matrices.
    """
def extract_links(similarity: typing.Any, source_words: typing.Any, target_words: typing.Any, options: ExtractionOptions) -> tuple[numpy.ndarray, numpy.ndarray]:
    """
    Links of one matrix: pairs (links x 2, int32) and scores (float32).
    """
def extract_padded_link_lists(similarities: numpy.ndarray, source_lengths: numpy.typing.NDArray[numpy.int64] | None, target_lengths: numpy.typing.NDArray[numpy.int64] | None, source_words: list[typing.Any] | None, target_words: list[typing.Any] | None, options: ExtractionOptions, *, threads: typing.SupportsInt | typing.SupportsIndex) -> ExportedArray:
    """
    Links of each matrix of an array of matrices x rows x columns, within the lengths.
    """
def fit_aligner(corpus: AlignerCorpus, options: AlignerOptions, *, threads: typing.SupportsInt | typing.SupportsIndex, progress: typing.Any) -> AlignerModel:
    """
    Fits a model. progress(done, total) is called after every iteration unless it is None.
    """
def is_utf8(data: bytes) -> bool:
    """
    Whether bytes are UTF-8.
    """
def link_classifier_weights() -> numpy.typing.NDArray[numpy.float32]:
    """
    The classifier's numbers, one network after the other.
    """
def link_features(model: AlignerModel, corpus: AlignerCorpus, maps: collections.abc.Sequence[tuple[typing.Annotated[numpy.typing.ArrayLike, numpy.int32], typing.Annotated[numpy.typing.ArrayLike, numpy.int32]]], *, first: typing.Annotated[numpy.typing.ArrayLike, numpy.float32]) -> tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray, numpy.ndarray]:
    """
    What the classifier's first network is given, or the second one where there are the first one's probabilities: offsets, source, target, features (cells x 2 views x features, flat).
    """
def ner_scores(probabilities: numpy.typing.NDArray[numpy.float32], labels: NerLabels, candidates: numpy.typing.NDArray[numpy.int32], *, alpha: typing.SupportsFloat | typing.SupportsIndex, threshold: typing.SupportsFloat | typing.SupportsIndex) -> dict[str, numpy.ndarray]:
    """
    For every class the NER scores of the candidates.
    """
def ner_span_scores(probabilities: numpy.typing.NDArray[numpy.float32], labels: NerLabels, candidates: numpy.typing.NDArray[numpy.int32], *, alpha: typing.SupportsFloat | typing.SupportsIndex, threshold: typing.SupportsFloat | typing.SupportsIndex) -> numpy.typing.NDArray[numpy.float64]:
    """
    The candidates' best NER scores of any class.
    """
def ngram_candidates(tokens: collections.abc.Sequence[str], *, min_words: typing.SupportsInt | typing.SupportsIndex, max_words: typing.SupportsInt | typing.SupportsIndex | None, stop_words: collections.abc.Sequence[str]) -> list[tuple[int, int]]:
    """
    Spans (start, end) without a stop word, by start, then end.
    """
def project_batch(batch: typing.Any, options: ProjectOptions, *, threads: typing.SupportsInt | typing.SupportsIndex, skip_invalid: bool) -> ExportedArray:
    """
    Projects every row of a record batch.
    """
def project_sentence(pair: SentencePair, options: ProjectOptions) -> tuple[list[str], list[tuple[int, int, str, float, float, int]], str, float, float]:
    """
    Projects one sentence pair.
    """
def score_pairs(pair: SentencePair, options: ProjectOptions) -> list[tuple[int, int, int, float]]:
    """
    Pairs (entity, start, end, score) with a positive score.
    """
def simd_levels() -> list[str]:
    """
    The instruction sets that XNER_SIMD can name here, lowest first.
    """
def solve_matching(entity: numpy.typing.NDArray[numpy.int32], spans: numpy.typing.NDArray[numpy.int32], score: numpy.typing.NDArray[numpy.float64], *, entities: typing.SupportsInt | typing.SupportsIndex, matcher: MatcherKind, relation: Relation, n: typing.SupportsInt | typing.SupportsIndex, forced: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex], forbidden: numpy.typing.NDArray[numpy.bool], margins: bool, time_limit: typing.SupportsFloat | typing.SupportsIndex, count: typing.SupportsInt | typing.SupportsIndex) -> list[tuple[str, list[tuple[int, float]], float, float, tuple[list[int], int, int]]]:
    """
    Chooses among scored pairs sorted by entity; the one choice, or the `count` best.
    """
def split_at_tabs(data: bytes, starts: typing.Annotated[numpy.typing.ArrayLike, numpy.int64], ends: typing.Annotated[numpy.typing.ArrayLike, numpy.int64]) -> tuple[numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.int64]]:
    """
    Starts and ends of the fields of lines, and where those of each line begin among them.
    """
def symmetrize(forward: collections.abc.Sequence[tuple[typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex]], reverse: collections.abc.Sequence[tuple[typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex]], *, method: Symmetrization) -> list[tuple[int, int]]:
    """
    One alignment out of a source-to-target and a target-to-source one.
    """
STATUS_NAMES: tuple[str, ...] = ('ok', 'empty_target', 'empty_source', 'missing_entities', 'no_links', 'no_match', 'not_proven', 'infeasible', 'not_solved', 'invalid')
__version__: str = '0.1.0'
