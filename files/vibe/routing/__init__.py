"""The decision: ``decision.decide`` applies the rules and returns the pool, with the reasons.

``history_replay`` rebuilds a conversation's standing if no state is saved; ``adaptive_threshold`` moves a
family's threshold so that the wanted share of prompts goes strong.
"""
