"""The checks of a deployed host: engine, release, containers, gateway, Redis, secrets.

The verification role runs them with pytest and testinfra from the control node (test_host.py); tests/verify.py runs
them on the host itself.
"""
