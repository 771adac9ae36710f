"""docs/schemas is what the models of today give."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet.cli.schemas import SCHEMAS, file_name, page

PUBLISHED = Path(__file__).parents[2] / "docs" / "schemas"


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_published_schema_is_that_of_the_models(name: str) -> None:
    """After a change of a field: `python -m fleet schema --out docs/schemas`."""
    assert (PUBLISHED / file_name(name)).read_text() == page(name)
