"""The verbs of ./deploy.sh. Help, completion and the checks of the documentation read this table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Option:
    """An option of a verb. With a *variable*, its value goes to the playbook under that name.

    *kind*: ``value`` takes a text, ``number`` a whole number, ``list`` several texts, ``flag`` none
    and sets *constant*.
    """

    flag: str
    help: str
    variable: str = ""
    kind: Literal["value", "number", "list", "flag"] = "value"
    metavar: str = "TEXT"
    constant: object = True
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verb:
    """A verb: a playbook with its options, or a *command* of this package.

    *style* is what the terminal shows: the steps, or only the answer. *answer_file* is the JSON file below
    reports/NAME that ``--json`` prints.
    """

    name: str
    summary: str
    details: str = ""
    playbook: str = ""
    style: Literal["steps", "answer"] = "steps"
    options: tuple[Option, ...] = ()
    answer_file: str = ""
    needs_tools: bool = True


_MESSAGE = Option("--message", "why, for the record that ./deploy.sh audit shows", "deployment_message")
_DIFF = "Add --check --diff to see what would change without changing anything."

VERBS: tuple[Verb, ...] = (
    Verb(
        "deploy",
        "bring every host to the state that the inventory describes, and verify it (the default verb)",
        f"Runs preflight, prepare, stage, rollout and verify. --tags NAME runs one step or one role alone. {_DIFF}",
        playbook="site.yml",
        options=(
            _MESSAGE,
            Option("--bundle", "deploy from a bundle, without a network", "bundle", metavar="FILE"),
            Option(
                "--accept-upgrade",
                "accept what the upgrade to VERSION breaks; preflight lists it",
                "deployment_accept_upgrade",
                metavar="VERSION",
            ),
        ),
    ),
    Verb(
        "rollout",
        "ship a changed configuration or plug-in; leaves engine, Redis and images alone",
        _DIFF,
        playbook="playbooks/rollout.yml",
        options=(_MESSAGE,),
    ),
    Verb(
        "verify",
        "check the hosts and send test requests through the gateway",
        playbook="playbooks/verify.yml",
        style="answer",
        answer_file="verify/report.json",
    ),
    Verb(
        "status",
        "show what runs on every host",
        "The column drift has the number of findings of the last ./deploy.sh drift.",
        playbook="playbooks/status.yml",
        style="answer",
        answer_file="status.json",
    ),
    Verb(
        "rollback",
        "serve an older release again, with the same draining as a rollout",
        "Without --release, the last good release before the one that serves now. Nothing is pulled or built.",
        playbook="playbooks/rollback.yml",
        options=(
            Option("--release", "the release to serve; status and audit list them", "release", metavar="ID"),
            _MESSAGE,
        ),
    ),
    Verb(
        "doctor",
        "find the first broken hop between client and model, and suggest a fix",
        "Checks name, port, certificate, gateway, key, hosts, slots, plug-in, Redis, models and providers, in this"
        " order. Changes nothing. Each pool gets one request of at most 16 tokens.",
        playbook="playbooks/doctor.yml",
        style="answer",
        options=(
            Option(
                "--no-model-requests",
                "send no request to any model",
                "verification_live_requests",
                kind="flag",
                constant=False,
            ),
            Option("--symptom", "an error message as the client shows it; explained first", "verification_symptom"),
        ),
        answer_file="doctor.json",
    ),
    Verb(
        "drift",
        "compare the hosts with the inventory; fails if they differ",
        "Compares files and their modes, images, containers, and the servers of the gateways. Changes nothing.",
        playbook="playbooks/drift.yml",
        style="answer",
        answer_file="drift.json",
    ),
    Verb(
        "logs",
        "show the logs of the containers on all hosts",
        options=(
            Option("--follow", "keep printing new lines until Ctrl-C", kind="flag"),
            Option(
                "--request", "only lines about this request; its id is in the header x-litellm-call-id", metavar="ID"
            ),
            Option("--since", "how far back: 10m, 2h or a time; 10m if you leave it out", metavar="TIME"),
            Option("--role", "only these containers", choices=("router", "gateway", "redis"), metavar="ROLE"),
            Option("--limit", "only this host or group", metavar="PATTERN"),
        ),
    ),
    Verb(
        "audit",
        "show who deployed, rolled back or changed what, and how it ended",
        playbook="playbooks/audit.yml",
        style="answer",
        options=(Option("--last", "number of lines; 20 if you leave it out", "last", kind="number", metavar="N"),),
        answer_file="audit.json",
    ),
    Verb(
        "config",
        "show the effective configuration of a host, and where each value comes from",
        "Secrets are not shown.",
        playbook="playbooks/config.yml",
        style="answer",
        options=(
            Option("--all", "also options that keep their default", "config_all", kind="flag"),
            Option("--host", "the host; the first router if you leave it out", "config_host", metavar="NAME"),
        ),
        answer_file="config.json",
    ),
    Verb(
        "env", "print what a client needs as shell exports", 'Use it as eval "$(./deploy.sh env)".', needs_tools=False
    ),
    Verb("client", "add, rotate, remove or list clients with their own keys"),
    Verb(
        "rotate",
        "replace the master key, the Redis password and the TLS certificate without dropping a request",
        "Only what this toolkit generated. Clients can use the previous master key for --keep-days more days.",
        playbook="playbooks/rotate_secrets.yml",
        options=(
            Option(
                "--only",
                "only this one; can be repeated",
                "rotate",
                kind="list",
                choices=("master_key", "redis_password", "certificate"),
                metavar="NAME",
            ),
            Option(
                "--keep-days",
                "days until the previous master key expires; 0 if it leaked, 7 if you leave it out",
                "keep_days",
                kind="number",
                metavar="DAYS",
            ),
            _MESSAGE,
        ),
    ),
    Verb(
        "lock",
        "keep everyone from deploying until ./deploy.sh unlock",
        playbook="playbooks/hold.yml",
        style="answer",
        options=(_MESSAGE,),
    ),
    Verb(
        "unlock",
        "release the lock of an environment",
        "Check first that no deployment runs: the lock is released whoever holds it.",
        playbook="playbooks/unlock.yml",
        style="answer",
    ),
    Verb(
        "report",
        "show for each family whether learning from its traffic would pay off, with one page each",
        "Reads the records that routers keep (router_records) and the labels in reports/NAME/routing/labels.",
        playbook="playbooks/routing_report.yml",
        style="answer",
    ),
    Verb(
        "replay",
        "label prompts: both pools of a family answer them, and a judge model compares the answers blind",
        "Labels go to reports/NAME/routing/labels. Without --most-dollars it prints the cost and sends nothing.",
        playbook="playbooks/replay.yml",
        options=(
            Option("--prompts", 'JSON lines of {"id", "prompt"} on the control node', "replay_prompts", metavar="FILE"),
            Option("--family", "the family to label for", "replay_family", metavar="NAME"),
            Option("--judge", "the model that compares the answers", "replay_judge", metavar="MODEL"),
            Option("--most-dollars", "the most that it may cost", "replay_most_dollars", metavar="DOLLARS"),
            Option("--sample", "draw this many prompts at random", "replay_sample", kind="number", metavar="N"),
        ),
    ),
    Verb(
        "backup",
        "back up everything that can't be regenerated into one encrypted file",
        "The inventory with its secrets, the data of Redis, and each host's record.",
        playbook="playbooks/backup.yml",
        options=(Option("--certificate", "encrypt for this certificate", "backup_certificate", metavar="FILE"),),
    ),
    Verb(
        "restore",
        "restore what is missing from a backup",
        "What exists stays unless --overwrite is given. Set BACKUP_PASSPHRASE if the key has a passphrase.",
        playbook="playbooks/restore.yml",
        options=(
            Option("--file", "the backup", "backup_file", metavar="FILE"),
            Option("--key", "the key of the backup's certificate", "backup_key", metavar="FILE"),
            Option("--overwrite", "replace what exists", "backup_overwrite", kind="flag"),
        ),
    ),
    Verb(
        "bundle",
        "pack everything that a deployment needs into one archive, for hosts without a network",
        playbook="playbooks/bundle.yml",
        options=(
            Option("--signing-key", "sign the bundle with this key", "bundle_signing_key", metavar="FILE"),
            Option("--host", "take images and packages from this host", "bundle_host", metavar="NAME"),
        ),
    ),
    Verb("sbom", "write what is in the images as CycloneDX, and list known vulnerabilities", needs_tools=False),
    Verb(
        "lab",
        "create a fleet of throwaway hosts on this machine",
        "Then: ./deploy.sh -i inventory/lab",
        playbook="playbooks/lab.yml",
        options=(
            Option("--routers", "number of routers; 3 if you leave it out", "lab_routers", kind="number", metavar="N"),
            Option("--offline", "hosts that reach nothing but each other", "lab_offline", kind="flag"),
            Option("--status", "only list the hosts", "lab_state", kind="flag", constant="status"),
            Option("--down", "remove the hosts", "lab_state", kind="flag", constant="down"),
        ),
    ),
    Verb(
        "teardown",
        "remove a deployment: its containers, images and files; never the engine",
        "The inventory and its secrets stay on this machine, so the same deployment can come back.",
        playbook="playbooks/teardown.yml",
        options=(Option("--yes", "do not ask", kind="flag"), _MESSAGE),
    ),
    Verb("completion", "print shell completion: source <(./deploy.sh completion bash), or zsh", needs_tools=False),
    Verb("help", "explain a verb: ./deploy.sh help rollback", needs_tools=False),
    Verb("version", "print the version of the toolkit", needs_tools=False),
)

BY_NAME = {verb.name: verb for verb in VERBS}
