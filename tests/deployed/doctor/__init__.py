"""The doctor: walks from the client inwards and stops at the first broken link.

Each link is a function of walk.WALK, whose name is a sentence that is true if the link works.
"""
