"""Groups of npm: what is missing is named, a package that is another one is refused, licences are kept."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import tarfile
from pathlib import Path

import pytest

from fleet.errors import ToolchainError
from fleet.toolchain import licences, npm
from fleet.toolchain.catalogue import Group

SCRIPT = """\
import { cpSync, writeFileSync } from 'node:fs';
const out = process.argv[2];
cpSync('node_modules/@it/self/main.js', `${out}/bundle`);
const self = { name: '@it/self', version: '1.2.3', folder: 'node_modules/@it/self' };
writeFileSync(`${out}/packages.json`, JSON.stringify([self]));
"""
NPM = """\
#!/bin/sh
# What npm does here without a registry: nothing to install, and one package that lies there already.
case "$1" in
  ci) mkdir -p node_modules ;;
  pack) cp "{archive}" it-self-1.2.3.tgz; echo '[{{"filename": "it-self-1.2.3.tgz"}}]' ;;
esac
"""
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed: apt-get install nodejs")


def group(integrity: str) -> Group:
    return Group.model_validate(
        {
            "seconds": 1,
            "npm": integrity,
            "modules": {"it": {"module": "@it/self", "version": "1.2.3"}},
            "packages": {"build.mjs": {"bundle": "it"}},
        }
    )


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A group below a checkout, and npm in PATH."""
    package = tmp_path / "package"
    package.mkdir()
    (package / "main.js").write_text("it\n")
    (package / "LICENSE").write_text("Permission is hereby granted, free of charge\n")
    archive = tmp_path / "self.tgz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(package, "package")
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "npm").write_text(NPM.format(archive=archive))
    (programs / "npm").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    folder = tmp_path / "checkout" / "toolchain" / "tiny"
    folder.mkdir(parents=True)
    (folder / "build.mjs").write_text(SCRIPT)
    (tmp_path / "checkout" / "LICENSE").write_text("Apache License\nVersion 2.0\n")
    return folder


def built(folder: Path, source: Path, integrity: str) -> Path:
    partial, scratch = folder / "partial", folder / "scratch"
    (partial / "bin").mkdir(parents=True)
    scratch.mkdir()
    npm.build(source, group(integrity), scratch, partial)
    return partial


@needs_node
def test_the_bundle_and_the_licences_of_what_is_in_it(tmp_path: Path, source: Path) -> None:
    digest = hashlib.sha512((tmp_path / "self.tgz").read_bytes()).digest()
    partial = built(tmp_path, source, f"sha512-{base64.b64encode(digest).decode()}")
    assert (partial / "bin" / "bundle").read_text() == "it\n"
    modules = json.loads((partial / licences.INDEX).read_text())
    assert [(one["module"], one["licence"]) for one in modules] == [
        ("@it/self", "MIT"),
        ("fleet-testbed", "Apache-2.0"),
    ]
    assert all((partial / text).is_file() for one in modules for text in one["texts"])


def test_a_package_that_is_another_one_is_refused(tmp_path: Path, source: Path) -> None:
    with pytest.raises(ToolchainError, match=r"@it/self@1.2.3 is not what versions.yaml says \(sha512-"):
        built(tmp_path, source, "sha512-AAAA")
    assert list((tmp_path / "partial" / "bin").iterdir()) == []


def test_programs_that_are_missing_are_named(tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolchainError, match=r"npm is needed .*apt-get install nodejs npm"):
        built(tmp_path, source, "sha512-AAAA")
