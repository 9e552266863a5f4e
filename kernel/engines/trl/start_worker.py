"""Starts a worker: a script finds the package beside it, wherever else Python looks for modules."""

from joylab_worker.__main__ import main

main()
