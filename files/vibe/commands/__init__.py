"""The command line: ``cli.main``, and one module per command; the two checks are in ``cli``."""
