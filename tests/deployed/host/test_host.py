"""Each host check as a test of pytest, for the verification role and for an operator who knows testinfra."""

import pytest
from report.model import FAILED, SKIPPED, CheckFailedError, Result

from host.context import HostContext, given_roles
from host.registry import Check
from host.suite import checks_of, run_check


@pytest.mark.parametrize("check", checks_of(given_roles()), ids=str)
def test_host(check: Check, host: HostContext, results: list[Result]) -> None:
    """The check passes on the host."""
    result = run_check(check, host)
    results.append(result)
    if result.verdict == SKIPPED:
        pytest.skip(result.found)
    if result.verdict == FAILED:
        raise CheckFailedError(result.expected, result.found, result.hint)
