"""The host answers at all; if not, every other check is skipped and this one reports why."""

from host.on_host import reach
from report.model import require
from testinfra.host import Host


def test_host_answers(host: Host) -> None:
    silence = reach(host)
    hint = "is it up, and does ssh with the inventory's user and key work? docs/runbooks.md: a dead host"
    require(not silence, "an answer to a command", silence, hint)
