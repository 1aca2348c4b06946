"""Learnt numbers in a file: judgement, models of turns, adapters. Versioned and checksummed, read strictly.

Shape: one JSON object with ``kind`` ("judgement", "turns" or "adapter"), ``version``, ``checksum`` (SHA-256 of
everything else, as canonical JSON) and the numbers. A file that was cut off, edited by hand or made by another version
is never used.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from vibe.strict_json import is_number, read_json

WEIGHTS_VERSION = 1
JUDGEMENT, TURNS, ADAPTER = "judgement", "turns", "adapter"
_OWN_FILE = "deploy the release's own file again"
_FIX = {JUDGEMENT: _OWN_FILE, TURNS: _OWN_FILE, ADAPTER: "write it again with the command fit"}


class WeightsFileError(ValueError):
    """The file cannot be used; the message names the path, what is wrong and the fix."""


def write_weights(path: Path, kind: str, numbers: Mapping[str, object]) -> None:
    """Write *numbers* as a weights file of *kind* to *path*, whole or not at all."""
    document = {"kind": kind, "version": WEIGHTS_VERSION, **numbers}
    document["checksum"] = checksum_of(document)
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(json.dumps(document, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    beside.replace(path)


def read_weights(path: Path, kind: str) -> dict[str, object]:
    """Return the weights file of *kind* at *path*, its version and checksum proved.

    Raises:
        WeightsFileError: it is missing, is not JSON, or is of another kind, version or content than it says.
    """
    document = read_json(path, lambda why: fault(path, kind, why))
    if not isinstance(document, dict):
        raise fault(path, kind, "must be one JSON object")
    if document.get("kind") != kind:
        raise fault(path, kind, f"its kind must be {kind!r}, is {document.get('kind')!r}")
    version = document.get("version")
    if isinstance(version, bool) or version != WEIGHTS_VERSION:
        raise fault(path, kind, f"its version must be {WEIGHTS_VERSION}, is {version!r}")
    if document.get("checksum") != checksum_of(document):
        raise fault(path, kind, "its checksum does not fit its content")
    return document


def checksum_of(document: Mapping[str, object]) -> str:
    """Return "sha256:…" of *document* without its ``checksum``, independent of layout and key order."""
    content = {key: value for key, value in document.items() if key != "checksum"}
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(canonical.encode()).hexdigest()}"


def fault(path: Path, kind: str, wrong: str) -> WeightsFileError:
    """Return the error for the weights file of *kind* at *path*."""
    return WeightsFileError(f"{kind} {path}: {wrong}. Fix: {_FIX[kind]}")


def number(document: Mapping[str, object], key: str, path: Path, kind: str) -> float:
    """Return the finite number *key* of *document*."""
    value = document.get(key)
    if not is_number(value):
        raise fault(path, kind, f"{key}: must be a number, is {value!r}")
    return float(value)


def numbers(document: Mapping[str, object], key: str, length: int, path: Path, kind: str) -> list[float]:
    """Return the list *key* of *document*: *length* finite numbers."""
    values = document.get(key)
    if not isinstance(values, list) or len(values) != length or not all(map(is_number, values)):
        raise fault(path, kind, f"{key}: must be a list of {length} numbers")
    return [float(value) for value in values]


def check_names(document: Mapping[str, object], key: str, known: Sequence[str], path: Path, kind: str) -> None:
    """Refuse a weights file whose features are not this program's, or are in another order."""
    if document.get(key) != list(known):
        raise fault(path, kind, f"{key}: is for other features than this release has")


def provenance(document: Mapping[str, object]) -> str:
    """Return in one line what the adapter *document* was learnt from and what it gains."""
    family, proof, forced = document.get("family"), document.get("apgr"), document.get("forced")
    gained = proof if isinstance(proof, Mapping) else {}
    told = f"{document.get('labels')} labels of {family or 'any family'}, fitted at {document.get('fitted_at')}, "
    told += f"gain {gained.get('gain')} ({gained.get('low')} to {gained.get('high')})"
    return f"{told}; forced: {forced}" if forced else told
