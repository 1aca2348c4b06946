#!/usr/bin/python
"""Finds addresses that cannot be reached from a host, whether or not anything listens there yet."""

from __future__ import annotations

import errno
import os
import socket
from concurrent.futures import ThreadPoolExecutor

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: preflight_reach
short_description: Tell which TCP addresses cannot be reached from this host
description:
  - A refused connection counts as reached, for before the first deployment nothing listens there. What does not answer,
    has no route or no address does not.
  - Changes nothing, in check mode or out of it.
options:
  targets:
    description: Addresses as HOST:PORT.
    type: list
    elements: str
    required: true
  timeout:
    description: Seconds that one may take to answer; all are asked at once.
    type: float
    default: 5
"""

RETURN = r"""
unreached:
  description: The targets that were not reached, each with the reason.
  type: dict
  returned: always
"""


def failure(target: str, timeout: float) -> str:
    """Return why *target* was not reached, or an empty string."""
    host, port = target.rsplit(":", 1)
    try:
        with socket.create_connection((host, int(port)), timeout=timeout):
            return ""
    except TimeoutError:
        return f"no answer within {timeout:g} s"
    except OSError as error:
        if error.errno == errno.ECONNREFUSED:
            return ""
        return os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "targets": {"type": "list", "elements": "str", "required": True},
            "timeout": {"type": "float", "default": 5},
        },
        supports_check_mode=True,
    )
    targets: list[str] = module.params["targets"]
    with ThreadPoolExecutor(max_workers=max(1, min(32, len(targets)))) as pool:
        reasons = list(pool.map(lambda target: failure(target, module.params["timeout"]), targets))
    module.exit_json(changed=False, unreached=dict(item for item in zip(targets, reasons, strict=True) if item[1]))


if __name__ == "__main__":
    main()
