"""Names of revisions of the control plane, and of tags that stand for them."""

from typing import Annotated, Final

from pydantic import Field

from mesh.core.kubernetes import NAME_FORM
from mesh.core.typed import Deciding, Form

_LABEL: Final = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_FORM: Final = Form(NAME_FORM.format(40))

Revision = Annotated[str, Field(pattern=f"^{_LABEL}$", max_length=40), _FORM, Deciding]
"""The name of a revision or a tag."""
SomeRevision = Annotated[str, Field(pattern=rf"^({_LABEL})?$", max_length=40), _FORM, Deciding]
"""The same, or empty for none."""
