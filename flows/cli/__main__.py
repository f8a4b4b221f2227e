"""`python -m flows.cli` is `smallset`."""

from flows.cli.app import main

main()
