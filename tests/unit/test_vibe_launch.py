"""Settings that vibe_launch.py refuses before it starts LiteLLM."""

import json
from pathlib import Path
from typing import Any

import pytest
import vibe_launch


def _config(**deployment: Any) -> dict[str, Any]:
    return {
        "model_list": [{"model_name": "pool-chat-mini", "litellm_params": {"model": "openai/m", **deployment}}],
        "litellm_settings": {"callbacks": ["vibe_router.router_instance"], "enable_post_custom_auth_checks": True},
        "general_settings": {"custom_auth": "vibe_auth.authenticate", "custom_auth_run_common_checks": True},
    }


def test_a_sound_configuration_has_no_faults() -> None:
    assert vibe_launch.config_faults(_config(api_key="os.environ/KEY"), {"KEY": "k"}) == []


@pytest.mark.parametrize(("environment", "state"), [({}, "not set"), ({"BASE": ""}, "empty")])
def test_a_reference_that_is_unset_or_empty_is_named_with_its_place(environment: dict[str, str], state: str) -> None:
    faults = vibe_launch.config_faults(_config(api_base="os.environ/BASE"), environment)
    assert len(faults) == 1
    assert "config.yaml: model_list[0]: litellm_params: api_base" in faults[0]
    assert f"BASE is {state}" in faults[0]


def test_shell_notation_is_refused_because_litellm_does_not_expand_it() -> None:
    faults = vibe_launch.config_faults(_config(api_key="${KEY}"), {"KEY": "k"})
    assert len(faults) == 1
    assert "write os.environ/NAME" in faults[0]


def test_a_hook_registered_only_in_general_settings_is_refused() -> None:
    config = _config()
    config["general_settings"]["callbacks"] = config["litellm_settings"].pop("callbacks")
    faults = vibe_launch.config_faults(config, {})
    assert len(faults) == 1
    assert "litellm_settings: callbacks" in faults[0]


@pytest.mark.parametrize(("section", "name"), [each[:2] for each in vibe_launch.CLIENT_CHECKS])
def test_a_setting_without_which_clients_may_ask_for_everything_is_asked_for(section: str, name: str) -> None:
    config = _config()
    del config[section][name]
    faults = vibe_launch.config_faults(config, {})
    assert len(faults) == 1
    assert faults[0].startswith(f"config.yaml: {section}: {name}: must be ")


def test_a_tier_that_makes_litellm_drop_the_deployment_is_refused() -> None:
    config = _config()
    config["model_list"][0]["model_info"] = {"tier": "standard"}
    faults = vibe_launch.config_faults(config, {})
    assert len(faults) == 1
    assert "'standard'" in faults[0]


@pytest.mark.parametrize("content", ["", "[]", '{"NAME": 1}', "{"])
def test_a_secrets_file_that_is_no_object_of_strings_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "vibe.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(vibe_launch.ReleaseError, match=r"vibe\.json"):
        vibe_launch.load_secrets(path)


def test_the_message_about_an_unreadable_secrets_file_shows_none_of_it(tmp_path: Path) -> None:
    path = tmp_path / "vibe.json"
    path.write_text('{"KEY": "sesame-open', encoding="utf-8")
    with pytest.raises(vibe_launch.ReleaseError) as refused:
        vibe_launch.load_secrets(path)
    assert "sesame" not in str(refused.value)


def test_secrets_are_read_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "vibe.json"
    path.write_text(json.dumps({"A": "ä b"}), encoding="utf-8")
    assert vibe_launch.load_secrets(path) == {"A": "ä b"}


def test_models_are_counted_as_litellm_counts_them_deployments_and_again_under_aliases() -> None:
    config = {
        "model_list": [{"model_name": "a"}, {"model_name": "a"}, {"model_name": "b"}],
        "router_settings": {"model_group_alias": {"x": "a", "y": {"model": "b", "hidden": True}}},
    }
    assert vibe_launch.expected_count(config) == 3 + 2 + 1
