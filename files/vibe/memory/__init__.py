"""The state of conversations: numbers and names, never a text.

A ``store.Store`` keeps a ``conversation_state.State`` for each conversation: ``store.MemoryStore`` for one worker,
``redis_store.RedisStore`` for all workers and hosts. ``standing.Standing`` is a conversation's state before a turn;
a ``verdict.Verdict`` changes it.
"""
