"""Run one check and fill in its result: the same for host checks, the routing suite and the doctor."""

from __future__ import annotations

import subprocess
import time
import unittest
from collections.abc import Callable

from report.model import FAILED, SKIPPED, CheckFailedError, Result


def judge(result: Result, check: Callable[[], None], hint: str, quote: bool = False) -> Result:
    """Run *check* and return *result* with its verdict and duration.

    An error of the check itself is a failure, never a pass, with the fix *hint*. Its text is shown only with *quote*,
    because it may quote a file that holds secrets.
    """
    start = time.monotonic()
    try:
        check()
    except unittest.SkipTest as reason:
        result.verdict, result.found = SKIPPED, str(reason)
    except CheckFailedError as failure:
        result.verdict = FAILED
        result.expected, result.found, result.hint = failure.expected, failure.found, failure.hint
    except (OSError, subprocess.SubprocessError, ValueError, LookupError, TypeError, AttributeError) as error:
        result.verdict, result.expected, result.hint = FAILED, "an answer of the usual shape", hint
        result.found = repr(error) if quote else type(error).__name__
    result.milliseconds = round((time.monotonic() - start) * 1000)
    return result
