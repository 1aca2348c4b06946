"""The command ``fit``: learn an adapter from labels, print the proof, and write it only where it is worth it."""

from __future__ import annotations

import sys
from datetime import datetime, timezone
from pathlib import Path

from vibe.artefact import ADAPTER, write_artefact
from vibe.labels import Label, read_labels
from vibe.learn import FOLDS, LEAST_LABELS, Gain, learn
from vibe.scorer import HEAD_NAMES, Prior, load_prior


def fit(labels_path: Path, out: Path, family: str | None, *, force: bool) -> int:
    """Fit on the labels at *labels_path* and write *out*; return the exit code, 1 where it is refused.

    Raises:
        LabelsError: the labels cannot be used.
    """
    labels = read_labels(labels_path)
    objection = _too_few(labels)
    if objection and (not force or len(labels) < 2 * FOLDS):
        return _refused(out, objection)
    prior = load_prior()
    learnt = learn(labels, prior)
    _print_proof(labels, learnt.gain)
    # Also NaN, where the strong pool gains nothing on these labels.
    if not learnt.gain.difference > 0:
        objection = objection or "the adapter orders these labels no better than the prior"
    if objection and not force:
        return _refused(out, objection)
    try:
        write_artefact(out, ADAPTER, {**_description(labels, learnt.gain, prior, family, objection), **learnt.head})
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
    print(f"APGR with adapter  {gain.adapter:.3f}")
    print(f"gain               {gain.difference:+.3f}   95 % interval {gain.low:+.3f} to {gain.high:+.3f}")
    if gain.low <= 0 < gain.difference:
        print("The interval holds 0: this gain may be chance. More labels, or shadow mode first, will tell.")


def _description(
    labels: list[Label], gain: Gain, prior: Prior, family: str | None, objection: str | None
) -> dict[str, object]:
    figures = {
        "prior": gain.prior,
        "adapter": gain.adapter,
        "gain": gain.difference,
        "low": gain.low,
        "high": gain.high,
    }
    return {
        "family": family,
        "fitted_at": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "labels": len(labels),
        # JSON knows no NaN.
        "apgr": {name: round(value, 4) if value == value else None for name, value in figures.items()},
        "forced": objection,
        "prior": prior.checksum,
        "features": list(HEAD_NAMES),
    }
