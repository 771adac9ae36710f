import pytest

from fleet.testing.api_server.selecting import field_match, label_match

LABELS = {"metadata": {"name": "n", "labels": {"app": "web", "tier": "front", "empty": ""}}}


@pytest.mark.parametrize(
    ("selector", "matches"),
    [
        ("", True),
        ("app=web", True),
        ("app==web", True),
        ("app=db", False),
        ("app!=db", True),
        ("other!=x", True),
        ("app in (web, db)", True),
        ("app in (db)", False),
        ("app notin (db),tier", True),
        ("other notin (db)", True),
        ("app notin (web)", False),
        ("!other", True),
        ("!app", False),
        ("app=web,tier=back", False),
        ("empty=", True),
        ("example.com/x", False),
    ],
)
def test_labels(selector: str, matches: bool) -> None:
    assert label_match(selector)(LABELS) is matches


@pytest.mark.parametrize("selector", ["app in web", "=x", "app=(", "a b"])
def test_malformed(selector: str) -> None:
    with pytest.raises(ValueError, match="unable to parse"):
        label_match(selector)


def test_fields() -> None:
    assert field_match("metadata.name=n")(LABELS)
    assert not field_match("metadata.name=m")(LABELS)
    assert field_match("metadata.name!=m,spec.nodeName=")(LABELS)
