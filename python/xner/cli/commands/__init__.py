"""The commands, a module each; `xner.cli.main` lists them."""
