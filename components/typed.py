"""The base of every typed value that a person writes: frozen, and strict about names."""

from pydantic import BaseModel, ConfigDict


class Typed(BaseModel):
    """A value whose unknown fields are errors and that does not change once it is built."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Documented(Typed):
    """One whose fields' docstrings are what the config tables say of them."""

    model_config = ConfigDict(use_attribute_docstrings=True)
