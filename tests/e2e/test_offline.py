"""A bundle deploys hosts that only the control node's SSH reaches; a bundle from anyone else is refused."""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from e2e.machine import PLAYBOOK, PROJECT, Run, changed, chat, run

INVENTORY = PROJECT / "inventory/lab-offline"
LAB = {
    "lab_name": "vibe-offline",
    "lab_network_prefix": "172.29.78",
    "lab_inventory_dir": str(INVENTORY),
    "lab_offline": True,
    "lab_routers": 2,
}
ROUTERS = ("vibe-offline-router-1", "vibe-offline-router-2")
HOSTS = (*ROUTERS, "vibe-offline-gateway-1", "vibe-offline-redis-1")
NOWHERE = "http://127.0.0.1:9/"
FAILURES = (
    "{{ ansible_failed_result.results | default([ansible_failed_result]) | selectattr('failed', 'defined')"
    " | selectattr('failed') | map(attribute='msg') | join(' ') }}"
)


def _inside(host: str, script: str) -> Run:
    return run("docker", "exec", host, "sh", "-c", script, check=False)


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the signer's key and certificate, key.pem and cert.pem."""
    folder = tmp_path_factory.mktemp("signer")
    words = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
    run(*words, "-subj", "/CN=signer", "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem"))
    return folder


@pytest.fixture(scope="module")
def bundle(images_at_hand: None, signer: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of this project, made with the README's command and signed."""
    path = tmp_path_factory.mktemp("bundle") / "bundle.tar"
    made = {"bundle_file": str(path), "bundle_signing_key": str(signer / "key.pem")}
    run("./deploy.sh", "bundle", "-e", json.dumps(made), timeout=1200)
    return path


@pytest.fixture(scope="module")
def unpacked(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle as its user unpacks it."""
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(bundle) as archive:
        archive.extractall(folder, filter="data")
    return next(folder.iterdir())


@pytest.fixture(scope="module")
def hosts(images_at_hand: None) -> Iterator[None]:
    """Bare hosts without a network."""
    lab = (PLAYBOOK, "playbooks/lab.yml", "-e", json.dumps(LAB))
    run(*lab)
    yield
    run(*lab, "-e", "lab_state=down")


@pytest.fixture(scope="module")
def deployment(unpacked: Path, hosts: None) -> Run:
    """A deployment from the unpacked bundle, on a control node that reaches no package index either."""
    command = (str(unpacked / "deploy.sh"), "-i", str(INVENTORY))
    return run(*command, timeout=1800, PIP_INDEX_URL=NOWHERE)


@pytest.mark.slow
@pytest.mark.usefixtures("hosts")
def test_the_hosts_have_no_way_out_and_no_docker() -> None:
    connect = "python3 -c 'import socket; socket.create_connection((\"{}\", {}), 2)'"
    for host in HOSTS:
        assert _inside(host, connect.format("172.29.78.10", 22)).returncode == 0, "the way to look finds what is there"
        assert _inside(host, connect.format("1.1.1.1", 53)).returncode != 0
        assert _inside(host, "command -v docker || command -v nft").returncode != 0
        assert _inside(host, f"ls {PROJECT}/.cache/lab").returncode != 0


@pytest.mark.slow
def test_the_bundle_deploys_a_fleet_without_a_network(deployment: Run) -> None:
    assert re.search(r"\d+ passed, 0 failed", deployment.stdout)
    assert "DEPRECATION" not in deployment.stdout + deployment.stderr
    exports = run("./deploy.sh", "env", "-i", str(INVENTORY)).stdout
    settings = dict(re.findall(r"^export (\w+)=(\S+)$", exports, flags=re.MULTILINE))
    assert chat(settings, "hi").status_code == 200


@pytest.mark.slow
@pytest.mark.usefixtures("deployment")
def test_the_packages_came_from_the_bundle_and_the_hosts_own_sources_are_as_they_were() -> None:
    for host in HOSTS:
        assert (
            "/var/lib/litellm-vibe-router/packages" not in _inside(host, "cat /etc/apt/sources.list*/* || true").stdout
        )
        assert _inside(host, "ls /var/lib/litellm-vibe-router/packages/debs/docker.io_*").returncode == 0
        assert _inside(host, "docker version && nft --version").returncode == 0


@pytest.mark.slow
@pytest.mark.usefixtures("deployment")
def test_the_same_bundle_as_a_file_changes_nothing_any_more(bundle: Path, signer: Path) -> None:
    taken = {"bundle": str(bundle), "bundle_certificate": str(signer / "cert.pem")}
    again = run("./deploy.sh", "-i", str(INVENTORY), "-e", json.dumps(taken), "-e", "deployment_check_everything=true")
    assert changed(again.stdout) == 0


@pytest.mark.slow
def test_the_bundle_has_no_secret_and_says_what_it_has(unpacked: Path) -> None:
    assert not list(unpacked.rglob(".secrets"))
    manifest = json.loads((unpacked / "bundle/manifest.json").read_text(encoding="utf-8"))
    assert manifest["version"] == (PROJECT / "VERSION").read_text(encoding="utf-8").strip()
    assert set(manifest["images"]) == {"litellm", "redis", "haproxy"}
    assert any(name.startswith("docker.io_") for name in manifest["packages"])
    run("env", f"--chdir={unpacked}", "sha256sum", "--check", "--strict", "--quiet", "bundle/SHA256SUMS")


def _tiny(folder: Path, version: str, architecture: str) -> Path:
    """Write a bundle of a few bytes, unpacked, and return its folder."""
    parts = folder / "litellm-vibe-router-0/bundle"
    parts.mkdir(parents=True)
    (parts / "images.tar.gz").write_text("images", encoding="utf-8")
    (parts / "packages.tar").write_text("packages", encoding="utf-8")
    manifest = {"version": version, "architecture": architecture, "suite": "trixie"}
    (parts / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    files = [f"bundle/{name}" for name in ("images.tar.gz", "manifest.json", "packages.tar")]
    (parts / "SHA256SUMS").write_text(
        run("env", f"--chdir={parts.parent}", "sha256sum", *files).stdout, encoding="utf-8"
    )
    return parts


def _sign(parts: Path, signer: Path) -> None:
    raw = parts / "raw"
    words = ("openssl", "dgst", "-sha256", "-sign", str(signer / "key.pem"), "-out", str(raw))
    run(*words, str(parts / "SHA256SUMS"))
    (parts / "SHA256SUMS.sig").write_text(run("base64", "--wrap=0", str(raw)).stdout, encoding="utf-8")
    raw.unlink()


def _packed(parts: Path) -> Path:
    target = parts.parents[1] / "bundle.tar"
    with tarfile.open(target, "w") as archive:
        archive.add(parts.parent, parts.parent.name)
    return target


@pytest.fixture(scope="module")
def verdicts(signer: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The role's message about each bundle; "opened" for a good one."""
    version = (PROJECT / "VERSION").read_text(encoding="utf-8").strip()
    architecture = run("uname", "-m").stdout.strip()
    folder = tmp_path_factory.mktemp("bundles")

    def tiny(name: str, version: str = version, architecture: str = architecture, signed: bool = True) -> Path:
        parts = _tiny(folder / name, version, architecture)
        if signed:
            _sign(parts, signer)
        return parts

    damaged, changed_after = tiny("damaged"), tiny("changed after it was signed")
    (damaged / "packages.tar").write_text("packagez", encoding="utf-8")
    (changed_after / "packages.tar").write_text("other", encoding="utf-8")
    sums = run("env", f"--chdir={changed_after.parent}", "sha256sum", "bundle/packages.tar").stdout
    (changed_after / "SHA256SUMS").write_text(sums, encoding="utf-8")
    # A bundle that claims to be compared already.
    for folder_of in (marked := tiny("marked"), marked_file := tiny("marked, packed")):
        (folder_of / "packages.tar").write_text("other", encoding="utf-8")
        (folder_of / ".whole").touch()
    cut = _packed(tiny("cut off"))
    cut.write_bytes(cut.read_bytes()[:1500])
    text = folder / "text"
    text.write_text("a text", encoding="utf-8")
    other = folder / "other.pem"
    words = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    run(*words, "-subj", "/CN=other", "-keyout", str(folder / "other.key"), "-out", str(other))

    certificate = str(signer / "cert.pem")
    cases = {
        "good": (_packed(tiny("good")), certificate),
        "good, unpacked": (tiny("good and unpacked"), certificate),
        "nobody asks for a signature": (_packed(tiny("unsigned", signed=False)), ""),
        "not there": (folder / "nothing.tar", ""),
        "a text": (text, ""),
        "cut off": (cut, ""),
        "damaged": (_packed(damaged), ""),
        "damaged, unpacked": (damaged, ""),
        "of another version": (tiny("version", version="0.0.1"), ""),
        "for another processor": (tiny("processor", architecture="s390x"), ""),
        "not signed": (tiny("not signed", signed=False), certificate),
        "signed by another": (tiny("other"), str(other)),
        "changed after it was signed": (changed_after, certificate),
        "marked": (marked, certificate),
        "marked, packed": (marked_packed := _packed(marked_file), certificate),
        "marked, packed, again": (marked_packed, certificate),
        "no such certificate": (tiny("no certificate"), str(folder / "nothing.pem")),
    }
    told = folder / "told.json"
    tasks = [
        {
            "block": [
                {"ansible.builtin.include_role": {"name": "bundle", "tasks_from": "open"}},
                {"ansible.builtin.set_fact": {"told": {name: "opened"}}},
            ],
            "rescue": [{"ansible.builtin.set_fact": {"told": {name: FAILURES}}}],
            "always": [{"ansible.builtin.set_fact": {"all_told": "{{ all_told | default({}) | combine(told) }}"}}],
            "vars": {
                "bundle_source": str(path),
                "bundle_certificate": signed_by,
                "bundle_project_dir": str(PROJECT),
                "bundle_cache_dir": str(folder / "cache"),
            },
        }
        for name, (path, signed_by) in cases.items()
    ]
    tasks.append({"ansible.builtin.copy": {"content": "{{ all_told | to_json }}", "dest": str(told), "mode": "0600"}})
    play = folder / "play.yml"
    play.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]), encoding="utf-8")
    run(PLAYBOOK, "-i", "localhost,", "-c", "local", str(play), check=False)
    verdicts: dict[str, str] = json.loads(told.read_text(encoding="utf-8"))
    return verdicts


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("good", "opened"),
        ("good, unpacked", "opened"),
        ("nobody asks for a signature", "opened"),
        ("not there", "nothing.tar is not on the control node"),
        ("a text", "is no bundle of this project"),
        ("cut off", "is cut off"),
        ("damaged", "is damaged, or was changed: bundle/packages.tar: FAILED"),
        ("damaged, unpacked", "is damaged, or was changed: bundle/packages.tar: FAILED"),
        ("of another version", "is of version 0.0.1"),
        ("for another processor", "are for s390x"),
        ("not signed", "is not signed, and bundle_certificate asks for it"),
        ("signed by another", "was not signed with the key of"),
        ("changed after it was signed", "was not signed with the key of"),
        ("marked", "is damaged, or was changed: bundle/packages.tar: FAILED"),
        ("marked, packed", "is damaged, or was changed: bundle/packages.tar: FAILED"),
        ("marked, packed, again", "is damaged, or was changed: bundle/packages.tar: FAILED"),
        ("no such certificate", "nothing.pem is not on the control node"),
    ],
)
def test_a_bundle_is_opened_if_it_is_whole_and_from_whom_it_should_be(
    verdicts: dict[str, str], case: str, words: str
) -> None:
    assert words in verdicts[case]
    assert case.startswith(("good", "nobody")) or "Fix: " in verdicts[case]
