"""Fills a page of `templates/`: everything from outside is escaped, and a value that is not given is an error."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined


def fill(template: str, **values: object) -> str:
    """The page or drawing `templates/<template>.j2`; Markup passes through, all else is escaped."""
    environment = Environment(
        loader=PackageLoader("fleet.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(f"{template}.j2").render(**values)
