"""The lab of the tests: two routers, a gateway and Redis, each on its own host, reached over SSH.

Its hosts already have Debian's engine and nftables. Installing an engine is tested on bare hosts
(test_docker_role.py, test_systemd_host.py).
"""

import json

import yaml
from e2e.machine import PLAYBOOK, PROJECT, run

ENGINE = {"lab_packages": ["docker.io", "docker-cli", "docker-compose", "docker-buildx", "nftables"]}
LAB = (PLAYBOOK, "playbooks/lab.yml", "-e", "lab_routers=2", "-e", json.dumps(ENGINE))
INVENTORY = PROJECT / "inventory/lab"
GATEWAY, REDIS = "vibe-lab-gateway-1", "vibe-lab-redis-1"
ROUTERS = ("vibe-lab-router-1", "vibe-lab-router-2")
HOSTS = frozenset((GATEWAY, REDIS, *ROUTERS))


def addresses() -> dict[str, str]:
    """Return the addresses of the lab's hosts from its inventory."""
    groups = yaml.safe_load((INVENTORY / "hosts.yml").read_text(encoding="utf-8"))
    names = ("gateways", "routers", "redis_servers")
    return {name: entry["ansible_host"] for group in names for name, entry in groups[group]["hosts"].items()}


def on(host: str, script: str, check: bool = True) -> str:
    """Run a shell script as root on a host of the lab and return what it printed."""
    return run("docker", "exec", host, "sh", "-c", script, check=check).stdout.strip()
