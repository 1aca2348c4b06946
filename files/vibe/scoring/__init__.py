"""How complex a prompt is: a score from 0 to 100, with its contributions.

``scorer.Scorer`` turns a text into a ``score.Score``. ``family_scorers.load_scorers`` gives each family its own: the
shipped prior, which is a ``judgement.Judgement``, alone or with an adapter learnt from labels.
``prompt_parts.split`` separates the instruction, which is judged, from pasted material. ``turn_models`` say whether a
turn continues or complains. Each is a ``linear_model.LinearModel`` over the words that ``said`` reads. ``text_view``,
``features`` and ``surface_features`` are what the head of an adapter is computed from. All of it takes time that does
not grow with the text.
"""
