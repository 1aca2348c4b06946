"""The list of the host checks. A check's name is the sentence that is true when it passes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from deployed_names import CONTAINERS
from report.model import sentence

Function = Callable[..., None]

# Roles that run a container.
CONTAINER_ROLES = ("router", *CONTAINERS)


@dataclass(frozen=True)
class Check:
    """A check, the roles that a host needs for it, and the role whose container it checks, if it is about one."""

    function: Function
    needs: tuple[str, ...] = ()
    role: str = ""

    @property
    def area(self) -> str:
        """The check's module, which is the part of the deployment that it is about."""
        return self.function.__module__.rpartition(".")[2]

    @property
    def title(self) -> str:
        """The sentence that is true when the check passes."""
        return sentence(self.function.__name__) + (f" ({self.role})" if self.role else "")

    def __str__(self) -> str:
        """Name the check, for pytest."""
        return "-".join(filter(None, (self.area, self.function.__name__, self.role)))


CHECKS: list[Check] = []


def check(*needs: str, each: Sequence[str] = ()) -> Callable[[Function], Function]:
    """Add a check of hosts that have the roles *needs*; with *each*, one for the container of each of these roles.

    The function gets the `HostContext`, and with *each* the role.
    """

    def add(function: Function) -> Function:
        CHECKS.extend([Check(function, (*needs, role), role) for role in each] or [Check(function, needs)])
        return function

    return add
