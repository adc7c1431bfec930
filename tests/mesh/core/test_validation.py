"""Messages about failed validation."""

from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from annotated_types import Interval
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator

from mesh.core.typed import Form, ShortForm
from mesh.core.validation import problems


class Colour(Enum):
    RED = "red"
    GREEN = "green"


class Port(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    number: Annotated[int, Field(ge=1, le=65535)]
    name: str | None = None


class Short(ShortForm):
    short_forms = "a text"
    text: str = ""

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {"text": value} if isinstance(value, str) else value


class Shop(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    name: str = "x"
    size: Literal["small", "large"] = "small"
    colour: Colour = Colour.RED
    from_: str | None = Field(default=None, validation_alias="from")
    ports: list[Port] = []
    shelves: dict[str, Port] = {}
    counts: dict[Annotated[int, Field(ge=0)], str] = {}
    amount: int | Literal["all"] = 1
    least: Annotated[int, Field(ge=3)] = 3
    most: Annotated[float, Field(le=5)] = 5
    open: bool = True
    token: Literal["a", "b"] = Field(default="a", repr=False)
    code: str = Field(default="a", pattern="^[a-z]$")
    pair: Annotated[list[int], Field(min_length=2)] = [1, 2]
    limit: Annotated[int, Field(ge=3)] | str = 3
    level: list[int] | Annotated[Literal["low", "high"], AfterValidator(str)] = "low"
    secret: str = Field(default="a", repr=False)
    secrets: list[str] = Field(default=[], repr=False)
    vault: Port | None = Field(default=None, repr=False)
    upper: Annotated[int, Interval(le=5)] = 5
    lower: Annotated[int, Interval(ge=5)] = 5
    either: Annotated[Port, AfterValidator(lambda port: port)] | list[Port] = []
    words: Annotated[list[str], Field(min_length=1)] = ["a"]
    even: int = 0
    label: Annotated[str, Field(pattern="^[a-z]*$", max_length=3), Form("label: a to z")] | None = None
    short: Short = Short()

    @field_validator("even")
    @classmethod
    def _is_even(cls, value: int) -> int:
        if value % 2:
            raise ValueError(f"{value} is odd")
        return value


def problem(value: dict[str, Any], root: str = "shop:") -> str:
    with pytest.raises(ValidationError) as caught:
        Shop.model_validate(value)
    (line,) = problems(caught.value, Shop, root)
    return line


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ({"name": 5}, 'shop:name: expected a string, got 5; put it in quotes: "5"'),
        ({"name": True}, 'shop:name: expected a string, got true; put it in quotes: "true"'),
        ({"name": []}, "shop:name: expected a string, got []"),
        ({"size": "larg"}, 'shop:size: "larg" is not one of small, large; did you mean "large"?'),
        ({"size": 7}, "shop:size: 7 is not one of small, large"),
        ({"ports": [{"number": 1}, {"number": 0}]}, "shop:ports[1].number: 0 is not in 1..65535"),
        ({"ports": [{}]}, "shop:ports[0].number: is required"),
        (
            {"ports": {"number": 1}},
            'shop:ports: expected a list, got {"number": 1}; a list of one element is still a list',
        ),
        ({"ports": ["http"]}, 'shop:ports[0]: expected a mapping, got "http" (fields: name, number)'),
        ({"shelves": {"a": {"number": "1"}}}, 'shop:shelves.a.number: expected a whole number, got "1"'),
        ({"shelves": {"a b": {"number": 1.5}}}, 'shop:shelves["a b"].number: expected a whole number, got 1.5'),
        ({"shelves": []}, "shop:shelves: expected a mapping, got []"),
        ({"counts": {-1: "a"}}, "shop:counts[-1] (the key): -1 is not at least 0"),
        ({"from": 1}, 'shop:from: expected a string, got 1; put it in quotes: "1"'),
        ({"least": 2}, "shop:least: 2 is not at least 3"),
        ({"upper": 6}, "shop:upper: 6 is not at most 5"),
        ({"lower": 4}, "shop:lower: 4 is not at least 5"),
        ({"most": 5.5}, "shop:most: 5.5 is not at most 5"),
        ({"most": "5"}, 'shop:most: expected a number, got "5"'),
        ({"open": "yes"}, 'shop:open: expected true or false, got "yes"'),
        ({"words": []}, "shop:words: must not be empty"),
        ({"pair": [1]}, "shop:pair: [1]: list should have at least 2 items after validation, not 1"),
        ({"even": 3}, "shop:even: 3 is odd"),
        ({"code": "A"}, "shop:code: \"A\": string should match pattern '^[a-z]$'"),
        ({"label": "A"}, 'shop:label: "A" is not a label: a to z'),
        ({"label": "aaaa"}, 'shop:label: "aaaa" is not a label: a to z'),
        ({"short": 1}, "shop:short: expected a text or a mapping, got 1 (fields: text)"),
        ({"nam": 1}, 'shop: unknown field "nam"; did you mean "name"? (fields: FIELDS)'),
        (
            {"ports": [{"number": 1, "nme": 1}]},
            'shop:ports[0]: unknown field "nme"; did you mean "name"? (fields: name, number)',
        ),
        ({"ports": [{"number": 1, "zzz": 1}]}, 'shop:ports[0]: unknown field "zzz" (fields: name, number)'),
        (
            {"ports": [{"number": 1, "open": True}]},
            'shop:ports[0]: unknown field "open"; it belongs at shop:open (fields: name, number)',
        ),
        ({"ports": [{"number": 1, "open": [1]}]}, 'shop:ports[0]: unknown field "open" (fields: name, number)'),
    ],
)
def test_a_problem_is_one_line_with_path_value_and_choices(value: dict[str, Any], line: str) -> None:
    fields = ", ".join(sorted(Shop.model_fields)).replace("from_", "from")
    assert problem(value) == line.replace("FIELDS", fields)


def test_a_field_given_by_its_python_name_is_shown_by_its_alias() -> None:
    class Loose(Shop):
        model_config = ConfigDict(validate_by_name=True)

    with pytest.raises(ValidationError) as caught:
        Loose.model_validate({"from_": 1})
    assert problems(caught.value, Loose, "")[0].startswith("from: ")


def test_the_valid_values_of_an_enumeration_are_listed() -> None:
    with pytest.raises(ValidationError) as caught:
        Shop.model_validate({"colour": "gren"}, strict=False)
    assert problems(caught.value, Shop, "") == ['colour: "gren" is not one of red, green; did you mean "green"?']


def test_each_member_of_a_union_gives_a_line_with_the_same_path() -> None:
    with pytest.raises(ValidationError) as caught:
        Shop.model_validate({"amount": "some"})
    lines = problems(caught.value, Shop, "")
    assert lines == ['amount: expected a whole number, got "some"', 'amount: "some" is not one of all']


def test_the_path_within_a_union_does_not_contain_the_member() -> None:
    with pytest.raises(ValidationError) as caught:
        Shop.model_validate({"either": {"number": "a"}})
    lines = problems(caught.value, Shop, "")
    assert lines[0] == 'either.number: expected a whole number, got "a"'
    with pytest.raises(ValidationError) as caught:
        Shop.model_validate({"either": [{"number": 0}]})
    assert problems(caught.value, Shop, "")[-1] == "either[0].number: 0 is not in 1..65535"


def test_a_limit_that_the_model_does_not_show_is_described_by_pydantic() -> None:
    with pytest.raises(ValidationError) as caught:
        Shop.model_validate({"limit": 2})
    assert problems(caught.value, Shop, "") == [
        "limit: 2: input should be greater than or equal to 3",
        'limit: expected a string, got 2; put it in quotes: "2"',
    ]


def test_choices_that_the_model_does_not_show_are_listed_by_pydantic() -> None:
    with pytest.raises(ValidationError) as caught:
        Shop.model_validate({"level": "hgh"})
    assert problems(caught.value, Shop, "")[1] == "level: \"hgh\" is not one of 'low' or 'high'"


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ({"token": 12345}, "shop:token: the given value is not one of a, b"),
        ({"token": "aa"}, "shop:token: the given value is not one of a, b"),
        ({"secret": 12345}, "shop:secret: expected a string, got the given value"),
        ({"vault": {"number": "12345"}}, "shop:vault.number: expected a whole number, got the given value"),
        ({"secrets": "hunter2"}, "shop:secrets: expected a list, got the given value"),
        ({"secrets": [12345]}, "shop:secrets[0]: expected a string, got the given value"),
    ],
)
def test_a_hidden_value_is_not_shown(value: dict[str, Any], line: str) -> None:
    assert problem(value) == line


def test_all_problems_are_reported_at_once() -> None:
    with pytest.raises(ValidationError) as caught:
        Shop.model_validate({"name": 1, "size": 2})
    assert len(problems(caught.value, Shop, "")) == 2


def test_a_value_that_cannot_be_json_is_shown_by_its_type() -> None:
    assert problem({"name": {1, 2}}) == "shop:name: expected a string, got a Python object of type set"
