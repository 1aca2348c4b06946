"""The routing plug-in. ``vibe_router.py`` is what LiteLLM loads; the packages follow a request on its way.

In the order of their imports, each using only those before it (``tests/unit/test_vibe_layers.py``):

* ``log``, ``escaped``, ``strict_json``: basics of all packages.
* ``request``: what came in, whichever API and client sent it.
* ``routes``: what the operator configured: families, pools, prices, limits.
* ``scoring``: how complex a prompt is.
* ``memory``: what is remembered of a conversation.
* ``rules``: one rule a file; the first that has a verdict decides.
* ``routing``: the decision.
* ``telemetry``: what operators and clients read about it.
* ``feedback``: what clients say about answers.
* ``proxy``: the gates around LiteLLM, and what adapts it.
* ``learning``, ``simulation``: fitting on labels, and what a policy would cost; not part of a release.
* ``commands``: the command line.

Standard library only: the package runs in any LiteLLM image and on a laptop without LiteLLM.
"""
