"""The lab as the tests use it: two routers, a gateway and Redis, each a host of its own, reached over SSH."""

from e2e.machine import PLAYBOOK, PROJECT, run

LAB = (PLAYBOOK, "playbooks/lab.yml", "-e", "lab_routers=2")
INVENTORY = PROJECT / "inventory/lab"
GATEWAY, REDIS = "vibe-lab-gateway-1", "vibe-lab-redis-1"
ROUTERS = ("vibe-lab-router-1", "vibe-lab-router-2")
HOSTS = frozenset((GATEWAY, REDIS, *ROUTERS))


def on(host: str, script: str, check: bool = True) -> str:
    """Run a shell script as root on a host of the lab and return what it printed."""
    return run("docker", "exec", host, "sh", "-c", script, check=check).stdout.strip()
