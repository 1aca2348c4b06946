"""Merging daemon.json: which values win, stay or are refused, and which changes need a restart."""

from __future__ import annotations

from typing import Any

import pytest
from role_plugins import load

ROTATION = {"max-size": "20m", "max-file": "5"}


daemon_json = load("docker/library/docker_daemon_json")
probe = load("docker/library/docker_engine_probe")


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('{\n  "debug": true\n  "labels": []\n}', "line 3, column 3"),
        ("{'debug': true}", "line 1, column 2"),
        ("[]", "line 1, column 1: the file holds a list"),
        ("# comment\n{}", "line 1, column 1"),
    ],
)
def test_malformed_file_is_refused_with_its_place(text: str, where: str) -> None:
    with pytest.raises(daemon_json.Malformed, match=where):
        daemon_json.parse(text)


@pytest.mark.parametrize("text", ["", " \n", "{}"])
def test_empty_file_is_no_settings(text: str) -> None:
    assert daemon_json.parse(text) == {}


@pytest.mark.parametrize(
    ("current", "settings", "flags", "expected"),
    [
        pytest.param(
            {"labels": ["a"]},
            {"live-restore": True},
            [],
            {"labels": ["a"], "live-restore": True, "log-opts": ROTATION},
            id="others stay",
        ),
        pytest.param(
            {"live-restore": False},
            {"live-restore": True},
            [],
            {"live-restore": True, "log-opts": ROTATION},
            id="given wins",
        ),
        pytest.param({"debug": True}, {"debug": None}, [], {"log-opts": ROTATION}, id="null removes"),
        pytest.param(
            {"log-opts": {"tag": "x", "max-size": "1g"}},
            {},
            [],
            {"log-opts": {"tag": "x", **ROTATION}},
            id="other log options stay",
        ),
        pytest.param({"log-driver": "journald"}, {}, [], {"log-driver": "journald"}, id="journald does not rotate"),
        pytest.param(
            {"log-driver": "journald", "log-opts": {"tag": "x"}},
            {"log-driver": "local"},
            [],
            {"log-driver": "local", "log-opts": ROTATION},
            id="options of another driver go",
        ),
        pytest.param({}, {"live-restore": True}, ["live-restore", "log-opts"], {}, id="flags are left alone"),
    ],
)
def test_merge(current: dict[str, Any], settings: dict[str, Any], flags: list[str], expected: dict[str, Any]) -> None:
    assert daemon_json.merge(current, settings, ROTATION, flags) == expected


def test_merge_of_its_own_result_changes_nothing() -> None:
    once = daemon_json.merge({"labels": []}, {"live-restore": True}, ROTATION, [])
    assert daemon_json.changed_keys(once, daemon_json.merge(once, {"live-restore": True}, ROTATION, [])) == []


def test_only_keys_that_changed_are_named() -> None:
    assert daemon_json.changed_keys({"a": 1, "b": None, "c": 3}, {"a": 2, "c": 3}) == ["a", "b"]


@pytest.mark.parametrize(
    ("key", "reloads"), [("live-restore", True), ("debug", True), ("log-opts", False), ("default-address-pools", False)]
)
def test_which_keys_a_reload_applies(key: str, reloads: bool) -> None:
    assert (key in daemon_json.RELOADABLE) is reloads


def test_flags_are_named_as_daemon_json_names_them() -> None:
    line = [
        "/usr/sbin/dockerd",
        "-H",
        "fd://",
        "--log-opt=max-size=1m",
        "--live-restore",
        "--default-address-pool",
        "base=10.0.0.0/8,size=24",
    ]
    assert probe.flags_of(line) == ["default-address-pools", "hosts", "live-restore", "log-opts"]


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("v2.26.1", "2.26.1"),
        ("20.10.24+dfsg1", "20.10.24"),
        ("2.26.1-4", "2.26.1"),
        ("Docker version 28.2.2, build x", "28.2.2"),
        ("", ""),
    ],
)
def test_versions_lose_what_a_distribution_added(text: str, version: str) -> None:
    assert probe.plain_version(text) == version
