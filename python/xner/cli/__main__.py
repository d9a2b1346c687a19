"""`python -m xner.cli`."""

from xner.cli import main

main()
