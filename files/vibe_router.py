#!/usr/bin/env python3
"""The door: LiteLLM's hook that sends each request for a virtual model to the pool that its complexity deserves.

LiteLLM loads this file from the folder of its configuration (``litellm_settings.callbacks:
["vibe_router.router_instance"]``); the package ``vibe`` beside it is found through ``PYTHONPATH``. The routes are read
once, at import, from ``VIBE_ROUTES_FILE`` or ``vibe_routes.json`` beside this file, the weights from
``vibe/scoring`` and the adapters that the routes name: a bad file stops the start of LiteLLM, so a
release with one is refused before it serves. After that nothing ever fails because of the router: on any error the
request keeps the virtual model's name, which LiteLLM's ``model_group_alias`` sends to the safe pool.

From a shell, without LiteLLM::

    python3 vibe_router.py explain "Prove that there are infinitely many primes" [--json]
    python3 vibe_router.py score [--adapter adapter.json] < prompts.jsonl
    python3 vibe_router.py check-routes vibe_routes.json
    python3 vibe_router.py fit --labels labels.jsonl --out adapter.json
    python3 vibe_router.py check-adapter adapter.json
    python3 vibe_router.py records --family chat         # in a slot's container
    python3 vibe_router.py simulate [--records router.log] [--prices prices.json]
"""

# CRITICAL: no dataclass in this file. LiteLLM does not put it into sys.modules, and a dataclass with postponed
# annotations then fails at import, so the proxy would not start. Classes of that kind live in the package.
from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from vibe.commands import cli
from vibe.feedback.decision_records import entry_of
from vibe.log import DEBUG, INFO, WARNING, log, log_failure
from vibe.memory.redis_store import RedisStore, litellm_redis
from vibe.memory.store import MemoryStore, Store
from vibe.proxy.client_identity import asker_of, name_of
from vibe.proxy.deployment_gate import installed_gate, narrow
from vibe.proxy.failure_text import clean, make_response_not_found
from vibe.proxy.passage import current_passage
from vibe.proxy.reserved_parameters import controls_of, take_out
from vibe.proxy.stopped import count_with
from vibe.proxy.stored_response import answering_pool
from vibe.proxy.unknown_model import make_not_found
from vibe.proxy.upstream_failure import upstream_failure
from vibe.request.explicit_choice import forget_choice
from vibe.request.prompt import ROUTED_CALL_TYPES, WEBSOCKET
from vibe.request.request import Request, read_request
from vibe.request.request_id import call_id, request_id
from vibe.request.websocket import with_model
from vibe.routes.family import OFF, Family
from vibe.routes.routes_file import NO_ROUTES, Routes, default_path, load_routes
from vibe.routing.adaptive_threshold import Thresholds
from vibe.routing.decision import REASON_ERROR, Decision, decide, safe_decision
from vibe.rules import RULE_NAMES
from vibe.rules.escalation import NAME as ESCALATION_RULE
from vibe.scoring.family_scorers import Scorers, load_scorers
from vibe.scoring.scorer import load_prior
from vibe.telemetry.decision_metadata import forget, name_session, recall, remember
from vibe.telemetry.log_lines import decision_line, price_lines, served_line
from vibe.telemetry.metrics import Metrics
from vibe.telemetry.response_headers import response_headers, served_pool
from vibe.telemetry.spending import spending_of


class _WithoutLiteLLM:
    """Base class where LiteLLM is not installed: enough for the command line and unit tests."""


# Parameters that a client must not send to LiteLLM itself, with LiteLLM's own list where it is installed.
CONTROLS = controls_of([])
if TYPE_CHECKING or __name__ == "__main__":
    # The command line does not wait two seconds for LiteLLM's import.
    CustomLogger = _WithoutLiteLLM
else:
    try:
        from litellm.integrations.custom_logger import CustomLogger
        from litellm.types.utils import all_litellm_params

        CONTROLS = controls_of(all_litellm_params)
    except ModuleNotFoundError as error:
        # A broken LiteLLM must stop the start: it silently never calls a hook of another class.
        if error.name != "litellm":
            raise
        CustomLogger = _WithoutLiteLLM

COMPLEXITY_THRESHOLD = Family.threshold
# One set of series per process, however many routers a test makes.
METRICS = Metrics()
count_with(METRICS.stopped)
_HERE = Path(__file__).resolve().parent
_PROXY_MODULE = "litellm.proxy.proxy_server"


class VibeIntelligentRouter(CustomLogger):
    """Routes requests for virtual models; leaves directly named models alone."""

    def __init__(self, routes: Routes = NO_ROUTES, scorers: Scorers | None = None, store: Store | None = None) -> None:
        """Take the *routes* (None: leave every request alone) and the *scorers* (default: the prior for all).

        *store* keeps the states of conversations; by default that is LiteLLM's Redis, or memory where it has none.
        """
        super().__init__()
        self.routes = routes
        self.scorers = scorers or Scorers(load_prior())
        self._store = store
        self._thresholds = Thresholds()

    # CRITICAL: the hooks are defined on this very class. LiteLLM looks in vars(class): inherited ones are never called.
    async def async_pre_call_hook(
        self,
        user_api_key_dict: Any,
        cache: Any,
        data: dict[str, Any],
        call_type: str,
    ) -> dict[str, Any]:
        """Rewrite ``data["model"]`` from a virtual model to a pool. Never raises, always returns *data*.

        A raised exception would reach the client as a 500 with its text, a returned str as a 400.
        """
        family: Family | None = None
        client = name_of(getattr(user_api_key_dict, "key_alias", None))
        try:
            forget(data)
            self._take_out(data, client)
            family = self._family_of(data.get("model"), call_type)
            if family is not None:
                begun = perf_counter()
                request = read_request(data, call_type, _owner(user_api_key_dict))
                request = replace(request, answered_by=answering_pool(data))
                forget_choice(data)
                decision = await self._decide(family, request, cache)
                self._apply(decision, data, call_type, client)
                known = self.routes.known.get(decision.target)
                if request.conversation is not None and known is not None and known.deployments > 1:
                    # Not the key: that changes with the first answer.
                    name_session(data, request.conversation.short)
                self._keep(decision, request, data)
                _count(partial(METRICS.decided, decision, perf_counter() - begun))
        except Exception as error:
            log_failure(f"the safe pool serves: request_id={request_id(data)} call_type={call_type}", error)
            if family is not None:
                data["model"] = family.virtual_model
                self._apply(safe_decision(family, REASON_ERROR), data, call_type, client)
                _count(partial(METRICS.failed, family.virtual_model))
        return data

    async def async_pre_call_deployment_hook(self, kwargs: dict[str, Any], call_type: object) -> None:
        """Let a call to a provider pass if its request may reach the deployment.

        Raises:
            DeploymentRefusedError: it may not. Only this hook may raise: such a call must not go out.
        """
        gate = installed_gate()
        if gate is not None:
            gate.check(kwargs)

    async def async_post_call_response_headers_hook(
        self,
        data: dict[str, Any],
        user_api_key_dict: Any,
        response: Any,
        request_headers: dict[str, str] | None = None,
        litellm_call_info: dict[str, Any] | None = None,
    ) -> dict[str, str] | None:
        """Return the ``x-vibe-*`` headers of a routed request, None for any other. *response* is None on failure."""
        try:
            decision = recall(data)
            if decision is None:
                return None
            served = served_pool(data, response)
            if served is not None and served != decision.get("pool"):
                # Never silently another pool: log it, as the headers show it.
                log(WARNING, f"FALLBACK pool={decision.get('pool')} served_pool={served} request_id={request_id(data)}")
            return response_headers(decision, served)
        except Exception as error:
            log_failure(f"no decision headers: request_id={request_id(data)}", error)
            return None

    async def async_post_call_failure_hook(
        self,
        request_data: dict[str, Any],
        original_exception: Exception,
        user_api_key_dict: Any,
        traceback_str: str | None = None,
    ) -> None:
        """Reduce an error to what a client may know: a 404 as the APIs define it, without internals."""
        try:
            if make_not_found(original_exception, request_data.get("model")):
                log(INFO, f"unknown model: request_id={request_id(request_data)}")
            if make_response_not_found(original_exception):
                log(INFO, f"unknown response: request_id={request_id(request_data)}")
            gate = installed_gate()
            hosts = () if gate is None else gate.hosts
            passage = current_passage()
            if passage is not None:
                passage.failure = upstream_failure(original_exception, hosts)
            clean(original_exception, hosts)
        except Exception as error:
            log_failure(f"the error stays as it is: request_id={request_id(request_data)}", error)

    async def async_log_success_event(
        self, kwargs: dict[str, Any], response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        """Count what a routed request cost, and would have in the strong pool; LiteLLM calls it after the answer."""
        parameters = kwargs.get("litellm_params")
        if not isinstance(parameters, dict):
            return
        try:
            decision, logged = recall(parameters), kwargs.get("standard_logging_object")
            if decision is None or not isinstance(logged, dict):
                return
            family = self.routes.by_virtual_model.get(str(decision.get("virtual_model")))
            spent = None if family is None else spending_of(logged, family, self.routes.known)
            if family is not None and spent is not None:
                log(INFO, served_line(spent, decision, call_id(kwargs)))
                METRICS.served(family.virtual_model, spent, name_of(asker_of(logged)))
        except Exception as error:
            log_failure(f"not counted: call_id={call_id(kwargs)}", error)

    def _calculate_complexity(self, text: str) -> float:
        """Return the complexity of *text*, 0 to 100; from the family's threshold on it deserves the strong pool."""
        return self.scorers.shared.score(text).value

    def _family_of(self, model: object, call_type: str) -> Family | None:
        family = self.routes.by_virtual_model.get(model) if isinstance(model, str) else None
        if family is None or call_type not in ROUTED_CALL_TYPES:
            log(DEBUG, f"left alone: call_type={call_type}")
            return None
        return family

    async def _decide(self, family: Family, request: Request, cache: object) -> Decision:
        """Decide with the conversation's state, and save the new state: one round trip, or none."""
        decided_by = self._thresholds.applied_to(family)
        store = self.store(cache)
        conversation, state = request.conversation, None
        is_remembered = conversation is not None and request.is_remembered and family.routing != OFF
        if conversation is not None and is_remembered:
            state, unusable = await store.get(conversation.key)
            if unusable:
                request = replace(request, notes=(*request.notes, unusable))
        decision, new = decide(decided_by, self.routes, self.scorers.of(family), request, state)
        if conversation is not None and is_remembered and new is not None:
            store.put(conversation.key, new)
        self._thresholds.count(family, request, decision, store)
        return decision

    def store(self, cache: object = None) -> Store:
        """Return the store of conversations; *cache* is what LiteLLM passes to its hooks, None if nothing."""
        if self._store is None:
            self._store = MemoryStore() if litellm_redis(cache) is None else RedisStore(lambda: litellm_redis(cache))
        return self._store

    def _keep(self, decision: Decision, request: Request, data: dict[str, Any]) -> None:
        """Record *decision* where the routes ask for it; a failure never affects the request."""
        if not self.routes.records:
            return
        talk = None if request.conversation is None else request.conversation.key
        try:
            entry = entry_of(decision, request, call_id(data), load_prior())
            if entry is not None:
                self.store().keep(call_id(data), entry, self.routes.records, talk)
            elif decision.rule == ESCALATION_RULE and talk is not None:
                self.store().blame(talk, self.routes.records)
        except Exception as error:
            log_failure(f"not kept: request_id={request_id(data)}", error)

    def _take_out(self, data: dict[str, Any], client: str) -> None:
        """Remove parameters for LiteLLM itself from *data*, and log their names."""
        found = take_out(data, CONTROLS)
        if found:
            log(INFO, f"CONTROLS taken out: {', '.join(found)} client={client} request_id={request_id(data)}")

    def _apply(self, decision: Decision, data: dict[str, Any], call_type: str, client: str) -> None:
        """Apply *decision* to *data*: first all that can fail, then the model's name."""
        model = decision.pool
        if call_type == WEBSOCKET:
            # LiteLLM resolves the alias in data["model"] only and sends the frame on as it is: name a pool in both.
            model = decision.target
            data["first_message"] = with_model(data.get("first_message"), decision.virtual_model, model)
        if model is not None:
            data["model"] = model
        narrow(model or decision.virtual_model)
        remember(data, decision)
        log(INFO, decision_line(decision, client, request_id(data), call_id(data), call_type))
        _count(partial(METRICS.asked, client, decision.virtual_model))


def _count(counting: Callable[[], None]) -> None:
    """Count; a failure, such as a full disk, never affects the request."""
    try:
        counting()
    except Exception as error:
        log_failure("not counted", error)


def _owner(user_api_key_dict: object) -> str:
    """Return who asks: the digest that LiteLLM has of the API key, and the end user that the client names."""
    return " ".join(str(getattr(user_api_key_dict, name, None)) for name in ("api_key", "end_user_id"))


def _deployed_router() -> VibeIntelligentRouter:
    """Make the router that this process serves by.

    Raises:
        RoutesError: the routes file is missing inside the proxy, or invalid anywhere.
        WeightsFileError: an adapter that it names is missing or cannot be used.
    """
    path = default_path(_HERE)
    # Outside the proxy (a test, a notebook) there may be none; inside, that would silently route nothing.
    if not path.exists() and path.parent == _HERE and _PROXY_MODULE not in sys.modules:
        return VibeIntelligentRouter()
    routes = load_routes(path, RULE_NAMES)
    for family in routes.by_virtual_model.values():
        for level, words in price_lines(family):
            log(level, words)
    router = VibeIntelligentRouter(routes, load_scorers(routes, path.parent))
    proxy = sys.modules.get(_PROXY_MODULE)
    if routes.records and proxy is not None:
        from vibe.feedback.feedback_endpoint import offer

        offer(proxy.app, router.store, routes.records, lambda status: _count(lambda: METRICS.told(status)))
    return router


if __name__ == "__main__":
    sys.exit(cli.main(None, _HERE, COMPLEXITY_THRESHOLD))

# LiteLLM takes this very object; each worker process has its own.
router_instance = _deployed_router()
