"""The commands behind the Makefile's targets, one module each; `python -m commands` runs them."""
