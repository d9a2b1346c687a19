"""Fixtures and settings that all tests share."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

# Before torch is loaded: see xner._extras. And no test waits for a model hub.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
# What programs note of their outputs stays among the tests'.
os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp(prefix="xner-tests-cache-")
# Tests at work side by side share the cores, as do the programs that they start.
if workers := int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "0")):
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // workers)))

import pytest
from hypothesis import HealthCheck, settings

import extras
import tiny_models

settings.register_profile("default", deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("default"), derandomize=True, print_blob=True)
settings.register_profile("thorough", settings.get_profile("default"), max_examples=5000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "default"))


# Files that take long go first, so that no worker is left alone with one at the end.
LONG = (
    "cipher",
    "recipe_matrix",
    "killed_matrix",
    "training",
    "distillation",
    "study_extrinsic",
    "study_shift",
    "shift",
    "alignment_training",
    "translation",
    "golden",
    "matching",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files in the order in which workers are to take them."""
    place = {f"test_{name}": at for at, name in enumerate(LONG)}
    items.sort(key=lambda item: place.get(item.path.stem, len(place)))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what says that it needs an extra where that is missing."""
    for mark in item.iter_markers("needs"):
        extras.need(*mark.args)


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real data: XNER_TEST_DATA, or ../shared/data from the project's root."""
    root = Path(__file__).resolve().parents[2]
    folder = Path(os.environ.get("XNER_TEST_DATA", root.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no test data: set XNER_TEST_DATA to the folder that has golden/ (looked in {folder})")
    return folder


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved BERT of 4 layers that takes 512 tokens."""
    return tiny_models.save_bert(tmp_path_factory.mktemp("bert"))


@pytest.fixture(scope="session")
def short_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved BERT that takes no more than 24 tokens."""
    return tiny_models.save_bert(tmp_path_factory.mktemp("short_bert"), longest=24)


@pytest.fixture(scope="session")
def tiny_masked_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved BERT with a language model's head."""
    return tiny_models.save_bert(tmp_path_factory.mktemp("masked_bert"), head="BertForMaskedLM")


@pytest.fixture(scope="session")
def tiny_xlm_roberta(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved XLM-R of 3 layers that takes 128 tokens."""
    return tiny_models.save_xlm_roberta(tmp_path_factory.mktemp("xlm_roberta"))


@pytest.fixture(scope="session")
def tiny_nllb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved NLLB of 3 encoder layers that knows eng_Latn and deu_Latn."""
    return tiny_models.save_nllb(tmp_path_factory.mktemp("nllb"))


@pytest.fixture(scope="session")
def outspoken_nllb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved NLLB that knows three languages, with weights large enough for probabilities that differ a lot."""
    folder = tmp_path_factory.mktemp("outspoken_nllb")
    return tiny_models.save_nllb(folder, languages=("eng_Latn", "deu_Latn", "fra_Latn"), init_std=0.3)


@pytest.fixture(scope="session")
def converted_nllb(outspoken_nllb: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same model in CTranslate2's format."""
    return tiny_models.save_converted(tmp_path_factory.mktemp("converted_nllb"), outspoken_nllb)


@pytest.fixture(scope="session")
def tiny_m2m100(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved M2M-100."""
    return tiny_models.save_m2m100(tmp_path_factory.mktemp("m2m100"), init_std=0.3)


@pytest.fixture(scope="session")
def tiny_mbart50(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved mBART-50."""
    return tiny_models.save_mbart50(tmp_path_factory.mktemp("mbart50"), init_std=0.3)


@pytest.fixture(scope="session")
def tiny_madlad(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved MADLAD-400 that knows en, de and sw."""
    return tiny_models.save_madlad(tmp_path_factory.mktemp("madlad"))


@pytest.fixture(scope="session")
def tiny_marian(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved model of Marian's from English into German."""
    return tiny_models.save_marian(tmp_path_factory.mktemp("marian"), init_std=0.3)


@pytest.fixture(scope="session")
def tiny_multilingual_marian(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved model of Marian's from many languages into German and French."""
    folder = tmp_path_factory.mktemp("multilingual_marian")
    return tiny_models.save_marian(folder, pair=("mul", "mul"), marks=("deu", "fra", "fra_CA"), init_std=0.3)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser for tests that look at pages."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    pytest.skip("no Chromium on PATH (Debian: apt-get install chromium)")
