"""`python -m flows.cli` is `smallset`."""

from flows.cli.start import main

main()
