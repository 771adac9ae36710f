"""The command line asks nothing, trusts known keys only, and quotes what is run there."""

from __future__ import annotations

from fleet.model.fleet_file import Machine
from fleet.remote.openssh import command

ALWAYS = (
    "ssh -q -F none -T -p 2222 -o BatchMode=yes -o StrictHostKeyChecking=yes -o ConnectTimeout=10"
    " -o ServerAliveInterval=5 -o ServerAliveCountMax=3 -o ControlPath=none"
)


def test_a_machine_with_a_key_and_known_hosts_of_its_own() -> None:
    machine = Machine(name="m2", connection="ssh", address="10.0.0.2", user="fleet", port=2222, state_dir="/s",
                      key_file="/k/id", known_hosts="/k/known")  # fmt: skip
    assert " ".join(command(machine, ["/py", "-m", "a b"])) == (
        f"{ALWAYS} -o UserKnownHostsFile=/k/known -o GlobalKnownHostsFile=none -o IdentityFile=/k/id"
        " -o IdentitiesOnly=yes -- fleet@10.0.0.2 /py -m 'a b'"
    )


def test_a_machine_that_the_user_reaches_anyway() -> None:
    machine = Machine(name="m2", connection="ssh", address="10.0.0.2", port=2222, state_dir="/s")
    assert " ".join(command(machine, ["true"])) == f"{ALWAYS} -- 10.0.0.2 true"
