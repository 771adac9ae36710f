"""The `fleet` program: its commands, and how an error becomes a sentence and an exit code."""

from __future__ import annotations

import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Annotated

import typer

from fleet import __version__
from fleet.cli import (
    ab,
    build,
    check,
    cluster,
    compare,
    doctor,
    execute,
    experiment,
    export,
    fixture,
    history,
    kubeconfig,
    lab,
    league,
    logs,
    plan,
    profiles,
    rbac,
    report,
    reproduce,
    schema,
    status,
    toolchain,
    trace,
    vm,
)
from fleet.cli.console import out, say, say_error
from fleet.errors import FleetError

INTERRUPTED = 130
"""128 + SIGINT. SIGTERM gives 143, SIGHUP 129."""

COMPLETE = "_FLEET_COMPLETE"
"""Set by a completion script."""

app = typer.Typer(
    name="fleet",
    help="A fleet of real Kubernetes control planes, and the latency of every hop of every object in it.",
    epilog="Exit codes: 0 success, 1 error, 2 wrong input, 3 threshold failed, 4 partial or invalid run, 5 timeout.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
app.command("up")(build.up)
app.command("down")(build.down)
app.command("status")(status.status)
app.command("plan")(plan.plan)
app.add_typer(experiment.app, name="experiment")
app.command("report")(report.report)
app.command("runs")(report.runs)
app.command("compare")(compare.compare)
app.command("ab")(ab.ab)
app.add_typer(league.app, name="league")
app.command("history")(history.history)
app.command("check")(check.check)
app.command("reproduce")(reproduce.reproduce)
app.command("export")(export.export)
app.add_typer(trace.app, name="trace")
app.add_typer(cluster.app, name="cluster")
app.command("logs")(logs.logs)
app.command("profiles")(profiles.profiles)
app.command("exec", context_settings={"ignore_unknown_options": True})(execute.execute)
app.command("kubeconfig")(kubeconfig.kubeconfig)
app.command("rbac")(rbac.rbac)
app.command("schema")(schema.schema)
app.command("doctor")(doctor.doctor)
app.add_typer(toolchain.app, name="toolchain")
app.add_typer(fixture.app, name="fixture")
app.add_typer(lab.app, name="lab")
app.add_typer(vm.app, name="vm")


@app.callback()
def _root(
    debug: Annotated[
        bool, typer.Option("--debug", envvar="FLEET_DEBUG", help="Show the traceback of an error.")
    ] = False,
) -> None:
    """What every command shares."""


@app.command()
def version() -> None:
    """Print the version of this program."""
    out(f"fleet {__version__}")


@app.command()
def completion(
    shell: Annotated[str, typer.Argument(metavar="bash|zsh|fish", help="The shell to complete in.")] = "bash",
) -> None:
    """Print a completion script. Use it with `source <(fleet completion bash)`."""
    if shell not in ("bash", "zsh", "fish"):
        raise typer.BadParameter(f"{shell!r} is not bash, zsh or fish", param_hint="shell")
    from typer.completion import get_completion_script  # type: ignore[attr-defined]

    out(get_completion_script(prog_name="fleet", complete_var=COMPLETE, shell=shell))


class _Terminated(BaseException):
    """SIGTERM or SIGHUP came: unwinds like KeyboardInterrupt does."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(number)


def _terminate(number: int, _frame: FrameType | None) -> None:
    raise _Terminated(number)


def main() -> int:
    """Run the command line of this process; the exit code."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _terminate)
    return run(sys.argv[1:])


def run(arguments: Sequence[str], invoke: Callable[[list[str]], int] | None = None) -> int:
    """Run one command line; the exit code. Prints errors, in one or two lines but for --debug; nothing escapes."""
    ours, theirs = arguments[: (end := _ours(arguments))], arguments[end:]
    debug = "--debug" in ours or os.environ.get("FLEET_DEBUG", "") not in ("", "0")
    words = [*(word for word in ours if word != "--debug"), *theirs]
    _set_up_logging(debug=debug)
    try:
        return (invoke or _invoke)(words)
    except KeyboardInterrupt:
        return INTERRUPTED
    except _Terminated as ended:
        return 128 + ended.number
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1
    except Exception as error:  # noqa: BLE001 - the top of the program: even a defect is two lines, not a page
        if debug:
            traceback.print_exc()
        return _told(error)


def _ours(arguments: Sequence[str]) -> int:
    """How many words are this program's own, whose --debug may stand anywhere; the rest belongs to what `exec` runs."""
    if "--" in arguments:
        return arguments.index("--")
    command = next((at for at, word in enumerate(arguments) if not word.startswith("-")), len(arguments))
    if list(arguments[command : command + 1]) != ["exec"]:
        return len(arguments)
    return command + 2  # `exec` and what stands right behind it: an option of ours, or the machine


def _set_up_logging(*, debug: bool) -> None:
    """Libraries log to nowhere: what a person must know is an error of ours. With --debug they log to stderr."""
    root = logging.getLogger()
    if debug:
        logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    elif not root.handlers:
        root.addHandler(logging.NullHandler())


def _told(error: Exception) -> int:
    """Say what went wrong; the exit code."""
    if isinstance(error, FleetError):
        say_error(str(error))
        return error.exit_code
    if isinstance(error, typer.TyperException):
        _tell_usage(error)
        return error.exit_code
    if isinstance(error, typer.Abort):
        say("nothing was changed")
    elif isinstance(error, OSError):
        say_error(f"{error.filename or 'input or output'}: {error.strerror or error}")
    else:
        what = f"{type(error).__name__}: {error}"
        say_error(f"this is a defect of fleet: {what}\nrun it again with --debug and report it")
    return 1


def _invoke(words: list[str]) -> int:
    if COMPLETE in os.environ:  # a shell asks, by the script that `fleet completion` printed
        from typer.completion import completion_init  # type: ignore[attr-defined]

        completion_init()
    code = app(args=words, prog_name="fleet", standalone_mode=False)
    sys.stdout.flush()
    return code if isinstance(code, int) else 0


def _tell_usage(error: typer.TyperException) -> None:
    text = error.format_message()
    if text.startswith("Usage:"):  # a group without a command: its help is the message
        say(text)
        return
    context = getattr(error, "ctx", None)
    where = f"; see `{context.command_path} --help`" if context is not None else ""
    say_error(f"{text.rstrip('.')}{where}")
