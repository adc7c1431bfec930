"""The README's config table."""

from commands import reference
from components.settings import Settings


def test_the_readme_lists_every_setting_as_it_is() -> None:
    assert reference.table() in reference.README.read_text(), "run `make docs`"


def test_every_setting_has_a_meaning() -> None:
    rows = reference.table().splitlines()[2:]
    assert len(rows) == len(Settings.model_fields)
    assert [row for row in rows if row.endswith("|  |")] == []
