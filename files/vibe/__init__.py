"""The parts of the routing plug-in, one idea a file; ``vibe_router.py`` is the door that LiteLLM opens.

A request passes through them in this order:

* ``routes``: which virtual model belongs to which pools (read once, at import).
* ``request``: one view of it, whichever API and client it came by. ``ask`` finds the last thing a human asked,
  ``injected`` removes what a client's tools put into it, ``turn`` tells a person's turn from a client's own, ``choice``
  what the client chose, ``needs`` what the model must be able to do (``abilities``: what a pool is),
  ``first_frame`` reads and rewrites the one message of a WebSocket.
* ``rules``: in a fixed order, each a file; the first that has a ``verdict`` decides, the score is the last.
* ``look`` (``tokens``, ``words``, ``lexicon``), ``features``, ``scorer``, ``score``: how hard that ask looks, with
  signed contributions, by the weights in ``prior.json`` (an ``artefact``: versioned, checksummed).
* ``decision``: which pool, and why; ``record``, ``headers`` and ``log_lines`` carry it to LiteLLM, client and operator.
* ``unknown_model``: the 404 for a model that does not exist.
* ``cli``: the same from a shell; ``explain_command`` is its main part.

Learning an adapter from an operator's labels: ``fit_command``, ``labels``, ``learn`` (``ridge``, ``apgr``), ``shape``;
``scorers`` gives each family what it learnt. ``journal`` says what is kept to learn from, ``feedback`` what clients say
of answers (``feedback_route``: in LiteLLM's application), ``records_command`` tells both; ``advice`` says what labels
are worth, ``script`` in which script an ask is written.

Standard library only: the package runs in any LiteLLM image and on a laptop without LiteLLM.
"""
