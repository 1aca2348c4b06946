"""How complex a prompt is: a score from 0 to 100, with signed contributions.

``scorer.Scorer`` turns a text into a ``score.Score``. ``family_scorers.load_scorers`` gives each family its own: the
shipped prior (``prior.json``), alone or with an adapter learnt from labels. ``text_view``, ``features`` and
``surface_features`` are what both are computed from, in time that does not grow with the text.

``judgement.Judgement`` is the next prior, which no scorer uses yet: it judges the instruction that
``prompt_parts.split`` separates from pasted material.
"""
