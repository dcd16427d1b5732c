"""`python -m spanloop_collector` is the `spanloop` command."""

from spanloop_collector.cli.main import main

main()
