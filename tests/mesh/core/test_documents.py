"""YAML for programs written in Go."""

from __future__ import annotations

import pytest
import yaml

from mesh.core import documents

NOT_TEXTS_TO_GO = (
    *("y", "n", "Y", "N", "1e3", "1E3", "1e+3", "1.5e3", "+.5", "0o7", "-0o7", "0O7", "08", "12e03", "-2E+05", ".1e2"),
    *("1", "1.10", "true", "no", "null", "~", "0x1f", "1_000", "2001-01-01", ""),
)
"""Texts that yaml.v2, which istiod reads its documents with, takes for something else without quotes."""


@pytest.mark.parametrize("text", NOT_TEXTS_TO_GO)
def test_a_text_that_go_takes_for_something_else_has_quotes(text: str) -> None:
    assert documents.dump({"key": text}) == f"key: '{text}'\n"


@pytest.mark.parametrize("text", ["1.10.3", "127.0.0.1", "15d", "yes-or-no", "e3", "1e", "a", "10.0.0.0/8", "v1"])
def test_any_other_text_is_written_as_pyyaml_writes_it(text: str) -> None:
    assert documents.dump({"key": text}) == yaml.safe_dump({"key": text}) == f"key: {text}\n"


@pytest.mark.parametrize(("text", "value"), [("y", True), ("N", False), ("1.10.3", "1.10.3"), ("a", "a"), ("7", 7)])
def test_a_document_is_read_as_go_reads_it(text: str, value: object) -> None:
    assert documents.load(f"key: {text}") == {"key": value}
    assert documents.load(f"key: '{text}'") == {"key": text}


@pytest.mark.parametrize("text", ["12e03", "0o7", "08"])
def test_a_text_that_only_go_takes_for_a_number_needs_quotes(text: str) -> None:
    with pytest.raises(ValueError, match=f'put it in quotes: "{text}"'):
        documents.load(f"key: {text}")
    assert documents.load(f"key: '{text}'") == {"key": text}


def test_numbers_and_booleans_have_no_quotes_and_no_tags() -> None:
    values = [1, -1, 1.5, 1e16, 1e-7, True, None]
    assert documents.dump(values) == yaml.safe_dump(values)
