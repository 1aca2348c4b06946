"""Each role's defaults and argument specs agree."""

import re
from pathlib import Path
from typing import Any

import pytest
import role_readme
import yaml

ROLES = Path(__file__).resolve().parents[2] / "roles"
ROLE_NAMES = sorted(path.name for path in ROLES.iterdir() if path.is_dir())


def _options(role: str) -> dict[str, dict[str, Any]]:
    specs = yaml.safe_load((ROLES / role / "meta/argument_specs.yml").read_text(encoding="utf-8"))
    options: dict[str, dict[str, Any]] = specs["argument_specs"]["main"]["options"]
    return options


def _defaults(role: str) -> dict[str, Any]:
    defaults: dict[str, Any] = yaml.safe_load((ROLES / role / "defaults/main.yml").read_text(encoding="utf-8")) or {}
    return defaults


@pytest.mark.parametrize("role", ROLE_NAMES)
def test_every_default_is_in_the_argument_specs_with_the_same_value(role: str) -> None:
    options = _options(role)
    stated = {name: option["default"] for name, option in options.items() if "default" in option}
    assert stated == _defaults(role)


@pytest.mark.parametrize("role", ROLE_NAMES)
def test_an_option_is_required_or_has_a_default(role: str) -> None:
    neither = [
        name for name, option in _options(role).items() if not option.get("required") and "default" not in option
    ]
    assert neither == []


@pytest.mark.parametrize("role", ROLE_NAMES)
def test_every_option_carries_the_prefix_of_its_role_and_a_description(role: str) -> None:
    for name, option in _options(role).items():
        assert name.startswith(f"{role}_"), name
        assert option["description"], name


@pytest.mark.parametrize("role", ROLE_NAMES)
def test_options_that_hold_a_secret_are_marked_no_log(role: str) -> None:
    secret = [name for name in _options(role) if name.endswith(("_password", "_master_key", "_api_key", "_secrets"))]
    assert [name for name in secret if not _options(role)[name].get("no_log")] == []


@pytest.mark.parametrize("role", ROLE_NAMES)
def test_a_template_asks_numbers_and_yes_or_no_by_value(role: str) -> None:
    # -e name=0 is the text "0", which is true in Jinja unless a filter converts it.
    texts_are_true = [name for name, option in _options(role).items() if option["type"] in {"int", "float", "bool"}]
    asked = [
        f"{path.name}: {condition}"
        for path in sorted((ROLES / role / "templates").glob("*.j2"))
        for condition in re.findall(r"\{%-? *(?:el)?if (.*?) *-?%\}", path.read_text(encoding="utf-8"))
        for name in texts_are_true
        if re.search(rf"\b{name}\b(?! *\| *(?:int|float|bool)\b)", condition)
    ]
    assert asked == []


@pytest.mark.parametrize("role", ROLE_NAMES)
def test_the_readme_lists_the_variables_as_the_specs_have_them(role: str) -> None:
    path = ROLES / role / "README.md"
    assert path.read_text(encoding="utf-8") == role_readme.readme(ROLES / role), "run: python3 tests/role_readme.py"
