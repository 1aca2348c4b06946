"""Names of the deployment, for the checks and the doctor: its folder on a host, its containers, its plug-in.

``VIBE_DIR`` and ``VIBE_CONTAINER_PREFIX`` are the inventory's ``vibe_dir`` and ``vibe_container_prefix``. The roles
have the same names; a test compares them.
"""

import os

BASE_DIR = os.environ.get("VIBE_DIR") or "/opt/litellm-vibe-router"
CONTAINER_PREFIX = os.environ.get("VIBE_CONTAINER_PREFIX", "")
ROUTER_DIR = f"{BASE_DIR}/router"
GATEWAY_DIR = f"{BASE_DIR}/gateway"
ROUTER_PREFIX = f"{CONTAINER_PREFIX}litellm-vibe-router"
# The plug-in, as LiteLLM's configuration names it.
HOOK = "vibe_router.router_instance"
FIREWALL_TABLE = "litellm_vibe_router"
CONTAINERS = {
    "redis": f"{CONTAINER_PREFIX}vibe-redis",
    "gateway": f"{CONTAINER_PREFIX}vibe-gateway",
    "stub_upstream": f"{CONTAINER_PREFIX}vibe-stub-upstream",
}
