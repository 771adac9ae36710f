"""What the roles of this project read and declare, and a README of each: `python -m tools.roles` writes them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, meta

ROOT = Path(__file__).resolve().parents[1]
ROLES = ROOT / "roles"
CONDITIONS = frozenset({"when", "that", "until", "failed_when", "changed_when"})
"""Their values are expressions without braces."""
ANSIBLE = re.compile(
    r"^(ansible_.*|item|lookup|query|q|omit|now|undef|playbook_dir|role_path|role_name|inventory_(hostname|dir|file)|"
    r"hostvars|groups|group_names)$"
)
"""What Ansible itself gives."""
COLLECTION = "kubestellar.fleet"


class _Any(dict[str, Any]):
    """Filters and tests of Ansible's, none of which runs here."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> Any:
        return lambda *_, **__: True

    def get(self, name: str, default: Any = None) -> Any:
        """Any of them."""
        del default
        return self[name]


JINJA = Environment(autoescape=False)  # noqa: S701 -- nothing is rendered
JINJA.filters, JINJA.tests = _Any(), _Any()


def expressions(node: Any, *, condition: bool = False) -> Iterator[str]:
    """Every template in a YAML document."""
    if isinstance(node, str):
        yield "{{ " + node + " }}" if condition and "{{" not in node else node
    elif isinstance(node, list):
        for one in node:
            yield from expressions(one, condition=condition)
    elif isinstance(node, dict):
        for key, value in node.items():
            yield str(key)
            yield from expressions(value, condition=key in CONDITIONS)


def made(node: Any) -> Iterator[str]:
    """Names that tasks set themselves."""
    if isinstance(node, list):
        for one in node:
            yield from made(one)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "register":
                yield value
            elif key in ("ansible.builtin.set_fact", "vars"):
                yield from value
            elif key == "loop_control":
                yield from (value[name] for name in ("loop_var", "index_var") if name in value)
            yield from made(value)


@dataclass(frozen=True)
class Role:
    """One role's folder."""

    folder: Path

    @property
    def specs(self) -> Mapping[str, Any]:
        """Entry point to its argument spec."""
        text = (self.folder / "meta" / "argument_specs.yml").read_text(encoding="utf-8")
        return dict(yaml.safe_load(text)["argument_specs"])

    @property
    def declared(self) -> set[str]:
        """Options of all entry points."""
        return {name for spec in self.specs.values() for name in spec.get("options", {})}

    def undeclared(self) -> set[str]:
        """Variables that it reads and neither declares nor sets."""
        read: set[str] = set()
        own: set[str] = set()
        for kind in ("tasks", "handlers", "defaults", "vars"):
            for file in sorted((self.folder / kind).rglob("*.yml")):
                document = yaml.safe_load(file.read_text(encoding="utf-8")) or []
                read |= {name for text in expressions(document) for name in _names(text)}
                own |= {*made(document)} | ({*document} if kind == "vars" else set())
                read |= {*document} if kind == "defaults" else set()
        for file in sorted((self.folder / "templates").rglob("*.j2")):
            read |= _names(file.read_text(encoding="utf-8"))
        return {name for name in read - own - self.declared if not ANSIBLE.match(name)}

    def readme(self) -> str:
        """Its README, from its argument specs."""
        name = self.folder.name
        parts = [
            f"# {COLLECTION}.{name}",
            "Written from `meta/argument_specs.yml` (`python -m tools.roles`); do not edit it.",
        ]
        for entry, spec in self.specs.items():
            title = "" if entry == "main" else f"## Entry point `{entry}`\n\n"
            text = " ".join(_plain(line) for line in spec.get("description", []))
            parts.append(f"{title}{spec['short_description']}." + (f" {text}" if text else ""))
            options = spec.get("options", {})
            if options:
                rows = [f"| `{option}` | {_kind(one)} | {_text(one)} |" for option, one in options.items()]
                parts.append("\n".join(["| variable | type | what |", "|---|---|---|", *rows]))
        entry = next(iter(self.specs))
        more = "" if entry == "main" else f"\n        tasks_from: {entry}"
        parts.append(
            "```yaml\n- hosts: fleet_hosts\n  tasks:\n    - ansible.builtin.include_role:\n"
            f"        name: {COLLECTION}.{name}{more}\n```"
        )
        parts.append("The order in which the roles serve a fleet is in `playbooks/`.")
        return "\n\n".join(parts) + "\n"


def _names(text: str) -> set[str]:
    if "{{" not in text and "{%" not in text:
        return set()
    # Ansible takes escapes in strings that Jinja2 alone refuses; a name has none.
    return {*meta.find_undeclared_variables(JINJA.parse(text.replace("\\", "")))}


def _plain(text: str) -> str:
    """Ansible's markup as Markdown's."""
    return re.sub(r"\b[CVOIE]\(([^)]*)\)", r"`\1`", text)


def _kind(option: Mapping[str, Any]) -> str:
    words = [str(option.get("type", "str"))]
    if "choices" in option:
        words = [", ".join(f"`{choice}`" for choice in option["choices"])]
    return words[0] + (", required" if option.get("required") else "")


def _text(option: Mapping[str, Any]) -> str:
    given = option.get("description", "")
    text = _plain(" ".join(given) if isinstance(given, list) else str(given)).replace("|", "&#124;")
    return f"{text} Default: `{option['default']}`." if option.get("default") not in (None, "") else text


def roles() -> list[Role]:
    """All of them, by name."""
    return [Role(folder) for folder in sorted(ROLES.iterdir()) if (folder / "meta").is_dir()]


def main() -> None:
    """Write every README."""
    for role in roles():
        (role.folder / "README.md").write_text(role.readme(), encoding="utf-8")


if __name__ == "__main__":
    main()
