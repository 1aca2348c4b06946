"""The command line: ``cli.main``, and one module for each command but the two checks, which are in ``cli``."""
