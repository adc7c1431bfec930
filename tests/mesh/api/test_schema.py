"""Generation of OpenAPI schemas from messages."""

from typing import Annotated, Any, ClassVar, Literal

import pytest
from annotated_types import MinLen
from pydantic import Field

from mesh.api import scalars
from mesh.api.model import Message, Versions, optional
from mesh.api.schema import Schemas


def message_schema(message: type[Message], versions: Versions = Versions({})) -> dict[str, Any]:  # noqa: B008 - frozen
    return Schemas(versions).message(message)


class Hash(Message):
    """A hash."""

    one_of: ClassVar = ("header", "source")

    header: str | None = optional("By header.")
    source: bool | None = optional("By source.")
    size: scalars.UInt64 | None = optional("Size.")


class Balancer(Message):
    """A balancer."""

    one_of: ClassVar = ("simple", "hash")

    simple: Literal["RANDOM", "FIRST"] | None = optional("Simple.")
    hash: Hash | None = optional("Hash.")


class Fields(Message):
    """All sorts of fields."""

    from_: str | None = optional("Text.", wire="from")
    needed: Annotated[list[str], MinLen(1)] = Field(description="Needed.")
    limited: scalars.Percentage | None = optional("Limited.")
    unsigned: scalars.UInt32 | None = optional("Unsigned.")
    double: scalars.Double | None = optional("Double.")
    wrapped: scalars.BoolValue | None = optional("Wrapped.")
    wrapped_number: scalars.UInt32Value | None = optional("Wrapped.")
    wrapped_double: scalars.DoubleValue | None = optional("Wrapped.")
    duration: scalars.Duration | None = optional("Duration.")
    by_name: dict[str, scalars.PortNumber] | None = optional("By name.")
    by_port: dict[scalars.PortKey, Hash] | None = optional("By port.")
    anything: scalars.Struct | None = optional("Anything.")
    required_number: scalars.Int32 = Field(description="Needed.")


def either(*branches: dict[str, Any]) -> dict[str, Any]:
    return {"oneOf": [{"not": {"anyOf": list(branches)}}, *branches]}


HASH = either({"required": ["header"]}, {"required": ["source"]})


@pytest.mark.parametrize(
    ("wire", "schema"),
    [
        ("from", {"type": "string"}),
        ("needed", {"type": "array", "items": {"type": "string"}}),
        ("limited", {"type": "integer", "format": "int32"}),
        ("unsigned", {"type": "integer"}),
        ("double", {"type": "number", "format": "double"}),
        ("wrapped", {"type": "boolean", "nullable": True}),
        ("wrapped_number", {"type": "integer", "nullable": True}),
        ("wrapped_double", {"type": "number", "nullable": True}),
        ("duration", {"type": "string"}),
        ("by_name", {"type": "object", "additionalProperties": {"type": "integer"}}),
        ("anything", {"type": "object", "x-kubernetes-preserve-unknown-fields": True}),
        ("required_number", {"type": "integer", "format": "int32"}),
    ],
)
def test_the_schema_of_a_field_follows_from_its_type(wire: str, schema: dict[str, Any]) -> None:
    found = message_schema(Fields)["properties"][wire]
    assert found.pop("description")
    assert found == schema


def test_the_schema_of_a_message_is_an_object_without_required_fields() -> None:
    schema = message_schema(Fields)
    assert schema["type"] == "object"
    assert schema.keys() == {"type", "properties"}


def test_an_enumeration_is_a_string_with_its_values_in_order() -> None:
    simple = message_schema(Balancer)["properties"]["simple"]
    assert simple == {"description": "Simple.", "type": "string", "enum": ["RANDOM", "FIRST"]}


def test_at_most_one_field_of_a_one_of_group_may_be_present() -> None:
    schema = message_schema(Hash)
    assert {"oneOf": schema["oneOf"]} == HASH


def test_the_rule_of_a_nested_one_of_group_is_in_the_branch_of_the_outer_rule() -> None:
    schema = message_schema(Balancer)
    inner = {"required": ["hash"], "properties": {"hash": HASH}}
    assert {"oneOf": schema["oneOf"]} == either({"required": ["simple"]}, inner)
    assert "oneOf" not in schema["properties"]["hash"]


def test_the_rule_of_a_one_of_group_that_is_not_nested_is_in_the_schema_of_its_message() -> None:
    by_port = message_schema(Fields)["properties"]["by_port"]["additionalProperties"]
    assert {"oneOf": by_port["oneOf"]} == HASH


def test_no_part_of_a_schema_is_shared() -> None:
    seen: set[int] = set()

    def visit(node: Any) -> None:
        if isinstance(node, dict | list):
            assert id(node) not in seen, "YAML would write it as an alias"
            seen.add(id(node))
            for child in node.values() if isinstance(node, dict) else node:
                visit(child)

    visit(schema := message_schema(Balancer))
    assert schema
