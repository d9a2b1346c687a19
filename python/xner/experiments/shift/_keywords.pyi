import collections.abc
import typing

class ShiftKeywords(typing.TypedDict, total=False):
    where: typing.Optional[typing.Literal['entities', 'context', 'all']]
    characters: collections.abc.Sequence[typing.Literal['keyboard', 'ocr', 'diacritics', 'case', 'joiners', 'digits']]
    keyboard: typing.Literal['qwerty', 'qwertz', 'azerty']
    words: collections.abc.Sequence[typing.Literal['drop', 'swap', 'split', 'merge']]
    origin: str | None
    transliterator: typing.Literal['anyascii', 'decomposition']
    length: typing.Literal['longer', 'shorter']
