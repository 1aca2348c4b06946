"""Rules across the variables of the redis role."""

from __future__ import annotations

from collections.abc import Iterator

from ansible.module_utils.common.text.formatters import human_to_bytes

from .finding import Rules, Variables

rules = Rules()


@rules("redis_password", fix="use at least 16 random characters; inventory/local generates a password")
def password_is_long(variables: Variables) -> Iterator[str]:
    if len(str(variables["redis_password"])) < 16:
        yield "it is shorter than 16 characters (not shown)"


@rules(
    "redis_maxmemory",
    fix="make redis_memory_limit at least twice redis_maxmemory: Redis copies pages while it rewrites its log",
)
def container_holds_the_data_twice(variables: Variables) -> Iterator[str]:
    data, limit = (str(variables[name]).upper() for name in ("redis_maxmemory", "redis_memory_limit"))
    if 2 * human_to_bytes(data) > human_to_bytes(limit):
        yield "the kernel could kill the container for lack of memory"
