"""Fitting a scorer's adapter on an operator's labels. Not part of a release: it runs in the project's folder.

``labels.read_labels`` reads the labels, ``fit.learn`` fits and cross-validates a head (``ridge``, ``apgr``), and
``recommendation.advice_on`` says whether to use it.
"""
