"""The program `xner`, also as `python -m xner`."""

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line; see `xner.cli.main`. What that imports takes a while, and may be interrupted as well."""
    try:
        from xner.cli import main as run
    except KeyboardInterrupt:
        sys.stderr.write("xner: interrupted\n")
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
