"""The command ``fit``: learn an adapter from labels, print its evaluation, and write it only if it helps."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path

from vibe.learning.fit import FOLDS, LEAST_LABELS, Gain, Learnt, learn
from vibe.learning.labels import Label, read_labels
from vibe.learning.recommendation import advice_on
from vibe.scoring.scorer import HEAD_NAMES, Prior, load_prior
from vibe.scoring.weights_file import ADAPTER, write_weights


def fit(labels_path: Path, out: Path, family: str | None, *, force: bool) -> int:
    """Fit on the labels at *labels_path* and write *out*; return the exit code, 1 where it is refused.

    Raises:
        LabelsError: the labels cannot be used.
    """
    labels = read_labels(labels_path, family)
    objection = _too_few(labels)
    if objection and (not force or len(labels) < 2 * FOLDS):
        return _refused(out, objection)
    prior = load_prior()
    learnt = learn(labels, prior)
    _print_proof(labels, learnt.gain)
    _print_curve(learnt)
    # Also NaN, where the strong pool gains nothing on these labels.
    if not learnt.gain.over_prior.value > 0:
        objection = objection or "the adapter orders these labels no better than the prior"
    if objection and not force:
        return _refused(out, objection)
    try:
        write_weights(out, ADAPTER, {**_description(labels, learnt, prior, family, objection), **learnt.head})
    except OSError as error:
        print(
            f"--out {out}: cannot be written: {error.strerror}; name a file in a folder you may write", file=sys.stderr
        )
        return 1
    print(f"written: {out}" + (f" (forced: {objection})" if objection else ""))
    return 0


def _too_few(labels: list[Label]) -> str | None:
    if len(labels) >= LEAST_LABELS:
        return None
    return f"{len(labels)} labels are too few: {LEAST_LABELS} are needed to tell a gain from chance"


def _refused(out: Path, objection: str) -> int:
    print(
        f"refused to write {out}: {objection}; label more prompts (or --force, which the file then says)",
        file=sys.stderr,
    )
    return 1


def _print_proof(labels: list[Label], gain: Gain) -> None:
    knows_strong = all(label.strong is not None for label in labels)
    print(
        f"labels             {len(labels)}, "
        + ("weak and strong quality" if knows_strong else "failures of the weak model")
    )
    print(f"APGR of the prior  {gain.prior:.3f}   (0.500 is chance; on labels not fitted on, {FOLDS} folds)")
    print(f"APGR of length     {gain.length:.3f}")
    print(f"APGR with adapter  {gain.adapter:.3f}")
    for other, gained in (("prior", gain.over_prior), ("length", gain.over_length)):
        name = f"gain over {other}"
        print(f"{name:<19}{gained.value:+.3f}   95 % interval {gained.low:+.3f} to {gained.high:+.3f}")
    advice = advice_on(len(labels), gain)
    print(f"advice             {advice.line}: {advice.reason}")


def _print_curve(learnt: Learnt) -> None:
    if not learnt.curve:
        return
    print(f"\n{'strong share':<14}{'threshold':>10}{'gap won':>10}{'interval':>16}{'by prior':>10}")
    for point in learnt.curve:
        between = f"{point.low:.0%} to {point.high:.0%}"
        print(f"{point.share:<14.0%}{point.threshold:>10.1f}{point.adapter:>10.0%}{between:>16}{point.prior:>10.0%}")
    for part, (adapter, prior) in learnt.needed.items():
        shares = f"{adapter:.0%} of the prompts on the strong pool (by the prior: {prior:.0%})"
        print(f"{part:.0%} of the gap is won with {shares}")


def _description(
    labels: list[Label], learnt: Learnt, prior: Prior, family: str | None, objection: str | None
) -> dict[str, object]:
    gain = learnt.gain
    figures = {
        "prior": gain.prior,
        "adapter": gain.adapter,
        "gain": gain.over_prior.value,
        "low": gain.over_prior.low,
        "high": gain.over_prior.high,
        "length": gain.length,
        "length_low": gain.over_length.low,
        "length_high": gain.over_length.high,
    }
    return {
        "family": family,
        "fitted_at": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "labels": len(labels),
        # JSON knows no NaN.
        "apgr": {name: round(value, 4) if value == value else None for name, value in figures.items()},
        "curve": [{name: round(value, 4) for name, value in asdict(point).items()} for point in learnt.curve],
        "forced": objection,
        "prior": prior.checksum,
        "features": list(HEAD_NAMES),
    }
