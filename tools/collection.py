"""Put the Ansible collection together from the checkout: `python -m tools.collection OUT` writes one archive into OUT.

In the checkout ansible.cfg finds plugins by their short names. A collection's are known by their full names alone, so
the copy has `kubestellar.fleet.` before every module, filter and role of ours, and imports its shared code from there.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import yaml

from tools.roles import COLLECTION, ROOT

COPIED = ("plugins", "roles", "playbooks", "toolchain", "node_image")
"""The last two are what roles build from."""
LEFT_OUT = shutil.ignore_patterns("__pycache__", "molecule", "*.pyc", "*_test.go")
SECONDS = 120.0


def names(kind: str) -> set[str]:
    """Modules or roles of ours, by their short names."""
    if kind == "roles":
        return {folder.name for folder in (ROOT / "roles").iterdir() if folder.is_dir()}
    return {file.stem for file in (ROOT / "plugins" / kind).glob("fleet_*.py")}


def filters() -> set[str]:
    """Filters of ours."""
    texts = [file.read_text(encoding="utf-8") for file in (ROOT / "plugins" / "filter").glob("*.py")]
    return {name for text in texts for name in re.findall(r'"(fleet_\w+)":', text)}


def full_names(text: str) -> str:
    """A YAML file of tasks or plays with full names: keys of the entries of its lists, roles, and filters."""
    modules, known = names("modules"), names("roles")
    at = sorted(_places(yaml.compose(text), modules, known), reverse=True)
    for place in at:
        text = f"{text[:place]}{COLLECTION}.{text[place:]}"
    return full_filters(text)


def full_filters(text: str) -> str:
    """Filters in templates with full names."""
    return re.sub(rf"(\|\s*)({'|'.join(sorted(filters()))})\b", rf"\1{COLLECTION}.\2", text)


def _places(node: yaml.Node | None, modules: set[str], known: set[str], *, entry: bool = False) -> Iterator[int]:
    """Where a short name begins."""
    if isinstance(node, yaml.SequenceNode):
        for one in node.value:
            yield from _places(one, modules, known, entry=True)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            role = (key.value == "role" and entry) or key.value in (
                "ansible.builtin.include_role",
                "ansible.builtin.import_role",
            )
            if entry and key.value in modules:
                yield key.start_mark.index
            elif role:
                yield from (one.start_mark.index for one in _named(value) if one.value in known)
            yield from _places(value, modules, known)


def _named(node: yaml.Node) -> Iterator[yaml.ScalarNode]:
    """The node that names a role: itself, or what `name` is in it."""
    if isinstance(node, yaml.ScalarNode):
        yield node
    elif isinstance(node, yaml.MappingNode):
        yield from (value for key, value in node.value if key.value == "name" and isinstance(value, yaml.ScalarNode))


def full_imports(text: str) -> str:
    """A plugin that imports from the collection, and whose examples have full names."""
    text = text.replace(
        "from ansible.module_utils.fleet_module",
        f"from ansible_collections.{COLLECTION}.plugins.module_utils.fleet_module",
    )
    head, begin, rest = text.partition('EXAMPLES = r"""')
    example, end, tail = rest.partition('"""')
    return head + begin + (full_names(example) if begin else "") + end + tail


def stage(root: Path) -> Path:
    """The whole collection below `root`, where Ansible looks for it; its folder."""
    folder = root / "ansible_collections" / Path(*COLLECTION.split("."))
    shutil.copytree(ROOT / "collection", folder, ignore=LEFT_OUT)
    shutil.copy(ROOT / "LICENSE", folder)
    for name in COPIED:
        shutil.copytree(ROOT / name, folder / name, ignore=LEFT_OUT)
    site = (ROOT / "site.yml").read_text(encoding="utf-8").replace("import_playbook: playbooks/", "import_playbook: ")
    (folder / "playbooks" / "site.yml").write_text(site, encoding="utf-8")
    for file in sorted((*folder.glob("roles/*/*/*.yml"), *folder.glob("playbooks/*.yml"))):
        if file.parent.name != "meta":
            file.write_text(full_names(file.read_text(encoding="utf-8")), encoding="utf-8")
    for file in sorted(folder.glob("plugins/*/*.py")):
        file.write_text(full_imports(file.read_text(encoding="utf-8")), encoding="utf-8")
    derived = folder / "plugins" / "vars" / "derived.yml"
    derived.write_text(full_filters(derived.read_text(encoding="utf-8")), encoding="utf-8")
    return folder


def build(out: Path) -> Path:
    """The archive, in the folder `out`."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        folder = stage(Path(scratch))
        command = [sys.executable, "-m", "ansible", "galaxy", "collection", "build", "--force", "--output-path"]
        subprocess.run(
            [*command, str(out.resolve())], cwd=folder, check=True, timeout=SECONDS, stdout=subprocess.DEVNULL
        )
        version = yaml.safe_load((folder / "galaxy.yml").read_text(encoding="utf-8"))["version"]
    return out / f"{COLLECTION.replace('.', '-')}-{version}.tar.gz"


if __name__ == "__main__":
    sys.stdout.write(f"{build(Path(sys.argv[1]))}\n")
