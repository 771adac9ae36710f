"""The recipe for machines of a cloud, with the lab in the place of the cloud."""

from __future__ import annotations

import shutil
from pathlib import Path

RECIPE = Path(__file__).resolve().parents[3] / "inventories" / "cloud"
PLUGINS = Path(__file__).parent
FILE = "plugin: lab_cloud\nlab: {lab}\nfilters: {{fleet: cloud}}\n"


def as_a_user(folder: Path, lab: Path) -> Path:
    """The recipe's inventory, copied, with the file of a plugin of one's own in it."""
    shutil.copytree(RECIPE, folder)
    (folder / "1-lab_cloud.yml").write_text(FILE.format(lab=lab), encoding="utf-8")
    return folder
