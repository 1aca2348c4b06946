"""The contents of the deployed images are listed, and known vulnerabilities are found."""

import json
from pathlib import Path

import pytest
from e2e.machine import PROJECT, containers, run


@pytest.mark.slow
def test_each_image_is_listed_and_a_planted_advisory_is_found(deployed: dict[str, str], tmp_path: Path) -> None:
    lock = (PROJECT / "files/images/litellm/requirements.lock").read_text(encoding="utf-8")
    [version] = [line.partition("==")[2].split()[0] for line in lock.splitlines() if line.startswith("litellm==")]
    planted = {
        "id": "PLANTED-1",
        "affected": [
            {
                "package": {"ecosystem": "PyPI", "name": "litellm"},
                "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "9999"}]}],
            }
        ],
    }
    advisories = tmp_path / "advisories.json"
    advisories.write_text(json.dumps(planted), encoding="utf-8")
    before = containers()
    done = run("./deploy.sh", "sbom", "--advisories", str(advisories), "--out", str(tmp_path / "out"), check=False)
    assert done.returncode == 1, done.stderr
    assert "PLANTED-1" in done.stdout
    documents = {
        path.name.split("_")[1]: json.loads(path.read_text("utf-8")) for path in tmp_path.glob("out/*.cdx.json")
    }
    assert set(documents) == {"litellm", "redis", "haproxy"}
    purls = {
        name: {component["purl"].partition("?")[0] for component in document["components"] if "purl" in component}
        for name, document in documents.items()
    }
    assert f"pkg:pypi/litellm@{version}" in purls["litellm"]
    assert any(purl.startswith("pkg:deb/debian/haproxy@") for purl in purls["haproxy"])
    assert any(purl.startswith("pkg:deb/debian/redis-server@") for purl in purls["redis"])
    found = json.loads((tmp_path / "out/vulnerabilities.json").read_text(encoding="utf-8"))
    assert {(each["package"], each["version"], each["advisory"]) for each in found} == {
        ("litellm", version, "PLANTED-1")
    }

    again = run("./deploy.sh", "sbom", "--out", str(tmp_path / "again"))
    assert again.stdout == ""
    for path in tmp_path.glob("out/*.cdx.json"):
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes()
    assert containers() == before
