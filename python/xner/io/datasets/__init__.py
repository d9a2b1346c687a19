"""Data sets by name, out of folders and from the hub; what is known of each stands in `datasets.toml`.

table = datasets.load("europarl-ner", language="de", split="test", folder="clone")
print(datasets.DATASETS["europarl-ner"].licence)
"""

from __future__ import annotations

from xner._support.faces import listing
from xner.io.datasets.catalogue import (
    DATASETS,
    SPLITS,
    Catalogue,
    Counts,
    Dataset,
    Files,
    Hub,
    Spoken,
    Texts,
    read_catalogue,
)
from xner.io.datasets.loading import METADATA, load

__all__ = [
    "DATASETS",
    "METADATA",
    "SPLITS",
    "Catalogue",
    "Counts",
    "Dataset",
    "Files",
    "Hub",
    "Spoken",
    "Texts",
    "load",
    "read_catalogue",
]

__dir__ = listing(__all__)
