"""The host answers at all; if not, every other check is skipped and this one reports why."""

from __future__ import annotations

from report.model import require

from host.context import HostContext
from host.registry import check


@check()
def host_answers(host: HostContext) -> None:
    hint = "is it up, and does ssh with the inventory's user and key work? docs/runbooks.md: a dead host"
    require(not host.silence, "an answer to a command", host.silence, hint)
