"""Which image is used, its name, and where the packages of a build come from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import role_plugins

images = role_plugins.load("images/filter_plugins/images")

TAGS = {"pull": {"redis": "redis:8"}, "built": {"redis": "litellm-vibe-router/redis:trixie-0123"}}
DIGEST = "sha256:" + "a" * 64


def _image(tag: str, identity: str = "id-1", *digests: str) -> dict[str, Any]:
    return {"Id": identity, "Size": 5_000_000, "RepoTags": [tag], "RepoDigests": [f"redis@{each}" for each in digests]}


PULLED = _image("redis:8", "pulled", DIGEST)
BUILT = _image(TAGS["built"]["redis"], "built")


def _selected(
    there: list[dict[str, Any]],
    source: str = "auto",
    *,
    given: str = "",
    recorded: dict[str, Any] | None = None,
    loaded: str = "",
) -> str | None:
    wanted = images.wanted_images(["redis"], TAGS, {"redis": given}, recorded or {}, {"redis": loaded})
    found = images.select_images(there, wanted, source)
    return found["redis"]["ref"] if found else None


def test_a_pulled_image_goes_before_a_built_one() -> None:
    assert _selected([BUILT, PULLED]) == "redis:8"
    assert _selected([BUILT, PULLED], "build") == TAGS["built"]["redis"]
    assert _selected([BUILT], "pull") is None
    assert _selected([]) is None


def test_a_pulled_image_has_the_digest_that_the_inventory_gives() -> None:
    assert _selected([PULLED], given=DIGEST) == f"redis:8@{DIGEST}"
    assert _selected([PULLED], given="sha256:" + "b" * 64) is None


def test_a_pulled_image_is_the_recorded_one() -> None:
    record = {"redis:8": {"digest": DIGEST, "id": "pulled"}}
    assert _selected([PULLED], recorded=record) == f"redis:8@{DIGEST}"
    assert _selected([_image("redis:8", "pulled")], recorded=record) == "redis:8", "an archive keeps no digests"
    assert _selected([_image("redis:8", "another")], recorded=record) is None
    assert _selected([_image("redis:8", "another")], recorded=record, loaded="another") == "redis:8"
    # The inventory's values replace the record's.
    assert _selected([PULLED], recorded=record, given="sha256:" + "b" * 64) is None


def test_an_image_without_tags_serves_nothing() -> None:
    assert _selected([{"Id": "x", "Size": 1, "RepoTags": None, "RepoDigests": None}]) is None


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """Return a folder with the files of two images."""
    for name in ("base", "redis"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "Dockerfile").write_text(name, encoding="utf-8")
    return tmp_path


def test_the_hash_of_an_image_depends_on_all_that_goes_into_it(context: Path) -> None:
    before = images.input_hashes(["trixie"], {"redis": "redis-server"}, str(context))
    assert before == images.input_hashes(["trixie"], {"redis": "redis-server"}, str(context))
    assert all(len(value) == 12 for value in before.values())
    other_package = images.input_hashes(["trixie"], {"redis": "valkey"}, str(context))
    assert other_package["base"] == before["base"]
    assert other_package["redis"] != before["redis"]
    other_base = images.input_hashes(["noble"], {"redis": "redis-server"}, str(context))
    assert set(other_base.values()).isdisjoint(before.values())
    (context / "redis/Dockerfile").write_text("changed", encoding="utf-8")
    changed = images.input_hashes(["trixie"], {"redis": "redis-server"}, str(context))
    assert (changed["base"] == before["base"], changed["redis"] == before["redis"]) == (True, False)


def test_a_build_uses_the_hosts_mirrors() -> None:
    lines = [
        "trixie main http://mirror/debian/",
        "trixie contrib http://mirror/other/",
        "trixie-security main http://sec/",
        "",
    ]
    mirrors = images.apt_sources(lines)
    assert mirrors == {"trixie": "http://mirror/debian/", "trixie-security": "http://sec/"}
    keyring = "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"
    assert images.source_lines(mirrors, "trixie", "trixie", "Debian") == [
        f"deb {keyring} http://mirror/debian/ trixie main",
        f"deb {keyring} http://sec/ trixie-security main",
    ]
    (ubuntu,) = images.source_lines({"noble": "http://u/"}, "noble", "noble", "Ubuntu")
    assert ubuntu == "deb [signed-by=/usr/share/keyrings/ubuntu-archive-keyring.gpg] http://u/ noble main universe"


def test_the_report_says_what_was_done_and_in_check_mode_what_would_be() -> None:
    row = {"name": "redis", "source": "build", "reason": "no registry", "ref": "redis:x", "size": 54_321_000}
    assert images.report_lines([row], []) == ["redis: built (no registry) redis:x 54 MB"]
    assert images.report_lines([row], ["redis"]) == ["redis: would be built (no registry) redis:x 54 MB"]
    assert images.report_lines([row | {"source": "present", "size": 0}], ["redis"]) == [
        "redis: present (no registry) redis:x"
    ]
