"""The fleet of an inventory, as the fault measurements use it: its hosts, its client's settings, its releases."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml
from e2e.machine import PLAYBOOK, PROJECT, run


class Fleet:
    """A deployed fleet whose hosts are throwaway ones.

    Args:
        inventory: its folder below the project's, such as `inventory/lab`.
    """

    def __init__(self, inventory: str) -> None:
        self.inventory = inventory
        document = yaml.safe_load((PROJECT / inventory / "hosts.yml").read_text(encoding="utf-8"))
        self.routers = list(document["routers"]["hosts"])
        self.gateway = next(iter(document["gateways"]["hosts"]))
        self.redis = next(iter(document["redis_servers"]["hosts"]))
        exports = run("./deploy.sh", "env", "-i", inventory).stdout
        self.settings: dict[str, str] = dict(re.findall(r"^export (\w+)=(\S+)$", exports, flags=re.MULTILINE))

    def playbook(self, name: str, *options: str) -> list[str]:
        """Return the command that runs one of our playbooks on the fleet."""
        return [PLAYBOOK, "-i", self.inventory, f"playbooks/{name}.yml", *options]

    def models(self) -> dict[str, Any]:
        """Return the inventory's models, as its group_vars have them."""
        path = PROJECT / self.inventory / "group_vars/all/models.yml"
        models: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        return models

    def serving(self) -> dict[str, str]:
        """Return the release that each router serves, and how the gateways see it, as the status says."""
        rows = json.loads(run("./deploy.sh", "status", "-i", self.inventory, "--json").stdout)
        return {row["host"]: f"{row['release']} {row['gateways']}" for row in rows if row["role"] == "router"}
