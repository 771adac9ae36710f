"""The configuration files of `supervisord`, rendered and quoted so that any argument reaches the program
unchanged."""

from __future__ import annotations

import os
import pwd
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fleet.errors import HostError
from fleet.host.layout import Layout

SOCKET_LIMIT = 107
"""Bytes of a unix socket's path, sockaddr_un of Linux without its final NUL."""
SOCKET_SUFFIX = len(".4194304")
"""supervisord binds to `<socket>.<pid>` first; pid_max is at most 4194304."""
LOG_BYTES = "10MB"
START_SECONDS = 1
START_RETRIES = 1000
"""A program that dies is tried again with growing pauses of 1, 2, 3... s; `converge` is what reports one
that never stays up."""


@dataclass(frozen=True)
class Program:
    """One long-lived program; two that differ in any field are different, so that a change restarts it.

    `priority`: low starts first and stops last. `stop_seconds`: from SIGTERM to SIGKILL. `log` defaults to
    `<root>/log/<name>.log`. `env` is added to a small clean environment, never to the caller's.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    directory: Path | None = None
    log: Path | None = None
    priority: int = 500
    stop_seconds: int = 10


def check_socket_path(path: Path) -> None:
    """Raise HostError when supervisord could not bind its socket there."""
    length = len(os.fsencode(path)) + SOCKET_SUFFIX
    if length > SOCKET_LIMIT:
        raise HostError(
            f"{path} is {length - SOCKET_LIMIT} bytes too long for a unix socket ({SOCKET_LIMIT} bytes"
            f" with a suffix of"
            f" {SOCKET_SUFFIX}): choose a shorter fleet_state_dir or fleet_name"
        )


def quote(argument: str) -> str:
    """One argument for `command=`: shell quoting, `%` doubled, and no white space before `#` or `;` (a
    comment there)."""
    if "\n" in argument or "\r" in argument or "\0" in argument:
        raise HostError(f"argument {argument!r} holds a line break or NUL, which supervisord cannot pass on: remove it")
    quoted = shlex.quote(argument).replace("%", "%%")
    return re.sub(r"(\s)([#;])", r"\1''\2", quoted)


def quote_env(name: str, value: str) -> str:
    """One `NAME="value"` for `environment=`."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise HostError(f"{name!r} is not the name of an environment variable")
    if re.search(r"[\"'\r\n\0]|\s[#;]", value):
        raise HostError(
            f"the value of {name} holds a quote, a line break or a comment sign, which supervisord"
            f" cannot pass on: {value!r}"
        )
    return f'{name}="{value.replace("%", "%%")}"'


def render_program(program: Program, layout: Layout) -> str:
    """The section of one program."""
    lines = [
        f"[program:{program.name}]",
        "command=" + " ".join(quote(argument) for argument in program.argv),
        f"directory={str(program.directory or layout.root).replace('%', '%%')}",
        f"priority={program.priority}",
        f"startsecs={START_SECONDS}",
        f"startretries={START_RETRIES}",
        "autorestart=true",
        f"stopwaitsecs={program.stop_seconds}",
        "stopasgroup=true",
        "killasgroup=true",
        "redirect_stderr=true",
        f"stdout_logfile={str(program.log or layout.program_log(program.name)).replace('%', '%%')}",
        f"stdout_logfile_maxbytes={LOG_BYTES}",
        "stdout_logfile_backups=1",
    ]
    if program.env:
        lines.insert(2, "environment=" + ",".join(quote_env(k, v) for k, v in sorted(program.env.items())))
    return "\n".join(lines) + "\n"


def render_group(programs: Iterable[Program], layout: Layout) -> str:
    """The file `conf.d/<group>.conf`, programs sorted by name."""
    return "\n".join(render_program(p, layout) for p in sorted(programs, key=lambda p: p.name))


def render_daemon(layout: Layout) -> str:
    """The file `supervisord.conf`."""
    root = str(layout.root).replace("%", "%%")
    user = f"user={pwd.getpwuid(0).pw_name}\n" if os.geteuid() == 0 else ""
    return f"""[supervisord]
{user}logfile={root}/log/supervisord.log
logfile_maxbytes={LOG_BYTES}
logfile_backups=1
loglevel=info
pidfile={root}/run/supervisord.pid
childlogdir={root}/log
directory={root}
umask=077
minfds=1024
minprocs=64

[unix_http_server]
file={root}/run/supervisor.sock
chmod=0600

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

[include]
files={root}/supervisor/conf.d/*.conf
"""


def sections(text: str) -> dict[str, str]:
    """Program name to its section's text, of a file that `render_group` made."""
    found: dict[str, str] = {}
    for part in re.split(r"(?m)^(?=\[program:)", text):
        match = re.match(r"\[program:([^\]]+)\]", part)
        if match:
            found[match.group(1)] = part.strip()
    return found
