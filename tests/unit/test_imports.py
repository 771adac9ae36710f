"""Imports point one way, as docs/architecture.md says, and there is no cycle."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import fleet

ROOT = Path(fleet.__file__).parent
ARCHITECTURE = ROOT.parent / "docs" / "architecture.md"
TOP = "fleet"


def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name."""
    found = {}
    for file in sorted(ROOT.rglob("*.py")):
        parts = [TOP, *file.relative_to(ROOT).with_suffix("").parts]
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


def imports(file: Path, known: set[str], *, top_level: bool) -> set[str]:
    """Modules of ours that `file` imports; those under TYPE_CHECKING are not counted, lazy ones if not `top_level`."""
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for child in node.orelse:
                visit(child)
            return
        if top_level and isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            return
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                found.add(full if full in known else str(node.module))
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(file.read_text(encoding="utf-8")))
    return {name for name in found if name in known}


def package(module: str) -> str:
    """The package of ours that a module belongs to: `fleet.kube.client` -> `kube`, `fleet.errors` -> `errors`."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else TOP


def allowed() -> dict[str, set[str]]:
    """Which packages each may import, read from the document: its neighbours in a line, and all to their right."""
    section = ARCHITECTURE.read_text(encoding="utf-8").partition("## Imports point one way")[2].partition("\n## ")[0]
    lines = re.findall(r"^- `([^`]*->[^`]*)`", section, re.MULTILINE)
    assert lines, "docs/architecture.md has no line of arrows"
    reach: dict[str, set[str]] = {}
    for line in lines:
        groups = [[name.strip() for name in group.split(",")] for group in line.split("->")]
        for index, group in enumerate(groups):
            right = {name for later in groups[index + 1 :] for name in later}
            for name in group:
                reach.setdefault(name, set()).update(right, group)
    return reach


def test_no_package_imports_upward() -> None:
    known, reach = modules(), allowed()
    wrong = []
    for name, file in known.items():
        own = package(name)
        for target in imports(file, set(known), top_level=False):
            other = package(target)
            if other in (own, TOP) or own in (TOP, "__main__"):
                continue
            if other not in reach.get(own, set()):
                wrong.append(f"{name} imports {target}")
    assert not wrong, "\n".join(sorted(wrong))


def test_only_the_command_line_is_imported_by_the_program() -> None:
    known = modules()
    assert imports(known["fleet.__main__"], set(known), top_level=False) == {"fleet.cli"}
    assert imports(known["fleet"], set(known), top_level=False) == set()


def test_there_is_no_cycle_of_modules() -> None:
    known = modules()
    no_cycle({name: imports(file, set(known), top_level=True) - {name} for name, file in known.items()})


def test_there_is_no_cycle_of_packages_even_through_lazy_imports() -> None:
    known = modules()
    graph: dict[str, set[str]] = {package(name): set() for name in known}
    for name, file in known.items():
        graph[package(name)] |= {package(target) for target in imports(file, set(known), top_level=False)}
    no_cycle({name: targets - {name, TOP} for name, targets in graph.items()})


def no_cycle(graph: dict[str, set[str]]) -> None:
    """Fails with the names when following the arrows leads back."""
    state: dict[str, int] = {}

    def walk(name: str, trail: tuple[str, ...]) -> None:
        if state.get(name) == 2:
            return
        assert state.get(name) != 1, "cycle: " + " -> ".join([*trail[trail.index(name) :], name])
        state[name] = 1
        for target in sorted(graph[name]):
            walk(target, (*trail, name))
        state[name] = 2

    for name in sorted(graph):
        walk(name, ())
    assert all(value == 2 for value in state.values())


def test_the_document_names_every_package() -> None:
    reach = allowed()
    named = set(reach) | {name for right in reach.values() for name in right}
    there = {package(name) for name in modules()} - {TOP, "__main__"}
    assert there <= named, f"docs/architecture.md does not say where {sorted(there - named)} stand"
