"""Fills a page of `templates/`: everything from outside is escaped, and a value that is not given is an error."""

from __future__ import annotations

import base64
import hashlib
import re
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

QUOTED = re.compile(r"`([^`]+)`")
"""A name in a sentence, as Markdown and the terminal show it."""


def fill(template: str, **values: object) -> str:
    """The page or drawing `templates/<template>.j2`; Markup passes through, all else is escaped.

    `more_script`: a script of ours that a page needs alongside the common one.
    """
    environment = Environment(
        loader=PackageLoader("fleet.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    script = page_script() + str(values.pop("more_script", ""))
    environment.filters["with_code"] = with_code
    own = {"script": Markup(script), "script_digest": script_digest(script)}  # noqa: S704 - our own files
    return environment.get_template(f"{template}.j2").render(**own, **values)


def with_code(text: str) -> Markup:
    """A sentence escaped, and each name between backquotes as code."""
    return Markup(QUOTED.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped, and tags of ours


def page_script() -> str:
    """The one script of every page, `templates/page.js`; the page's policy lets no other run."""
    return resources.files("fleet.report").joinpath("templates/page.js").read_text()


def script_digest(script: str = "") -> str:
    """As the page's policy names a script, by default the common one: `sha256-...`."""
    return f"sha256-{base64.b64encode(hashlib.sha256((script or page_script()).encode()).digest()).decode()}"
