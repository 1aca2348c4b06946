"""The prices that are simulated: those beside this file, or the user's in the same form."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from vibe.routes.prices import price_faults, prices_of
from vibe.simulation.billing import Pair, Tariff
from vibe.strict_json import read_json

SHIPPED = Path(__file__).with_name("price_pairs.json")
_SIDES = ("cheap", "strong")


class PairsError(ValueError):
    """The file of prices cannot be used; the message names it, the pair and the key."""


def load_pairs(path: Path = SHIPPED) -> list[Pair]:
    """Read the pairs at *path*: ``{"pairs": [{"name", "cache_life", "cheap": {...}, "strong": {...}}]}``.

    A side has LiteLLM's keys of prices, dollars a token, and ``cache_minimum``, in tokens.

    Raises:
        PairsError: with the first fault.
    """
    document = read_json(path, lambda why: PairsError(f"{path}: {why}"))
    entries = document.get("pairs") if isinstance(document, dict) else None
    if not isinstance(entries, list) or not entries:
        raise PairsError(f'{path}: must have "pairs", a list with at least one')
    return [_pair(entry, f"{path}: pairs[{number}]") for number, entry in enumerate(entries)]


def _pair(entry: object, where: str) -> Pair:
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        raise PairsError(f"{where}: must be an object with a name")
    life = _number(entry, "cache_life", where)
    cheap, strong = (_tariff(entry.get(side), f"{where}.{side}") for side in _SIDES)
    return Pair(entry["name"], cheap, strong, life)


def _tariff(entry: object, where: str) -> Tariff:
    if not isinstance(entry, dict):
        raise PairsError(f"{where}: must be an object of prices")
    for fault in price_faults(entry):
        raise PairsError(f"{where}.{fault}")
    prices = prices_of([(entry, 1.0)])
    if prices is None:
        raise PairsError(f"{where}: input_cost_per_token and output_cost_per_token are needed")
    return Tariff(prices, int(_number(entry, "cache_minimum", where)))


def _number(entry: Mapping[str, object], key: str, where: str) -> float:
    value = entry.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
        raise PairsError(f"{where}.{key}: must be a number, 0 or more, is {value!r}")
    return float(value)
