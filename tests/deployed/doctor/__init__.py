"""The doctor: for when something is wrong, a walk from the client inwards that stops at the first broken link.

Each link is a function of walk.WALK, whose name is the sentence that is true when it is whole.
"""
