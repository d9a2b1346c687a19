"""The package's version, also in pyproject.toml and CMakeLists.txt; a test compares the three."""

__version__ = "0.1.0"
