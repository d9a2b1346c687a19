"""`python -m xner.cli`."""

from xner.cli.main import main

main()
