"""The status of Istio's objects, for istiod with `PILOT_ENABLE_STATUS`, since 1.24 `PILOT_ENABLE_ANALYSIS`."""

from typing import Annotated, Literal

from mesh.api.enforced import Enforced
from mesh.api.model import Message, optional

__all__ = ["MessageType", "Status", "StatusCondition", "ValidationMessage"]

Time = Annotated[str, Enforced(format="date-time")]


class StatusCondition(Message):
    """One aspect of an object's state."""

    type: str | None = optional("Name of the aspect.")
    status: str | None = optional("True, False or Unknown.")
    lastProbeTime: Time | None = optional("When the aspect was last looked at.")
    lastTransitionTime: Time | None = optional("When the status last changed.")
    reason: str | None = optional("Reason of the last change, in one word.")
    message: str | None = optional("The same for people.")
    observedGeneration: int | str | None = optional("Generation of the object that the condition is about.")


class MessageType(Message):
    """A finding of istiod's analysis."""

    name: str | None = optional("Name of the finding.")
    code: str | None = optional("Its code, such as IST0101.")


class ValidationMessage(Message):
    """What istiod's analysis says of the object."""

    type: MessageType | None = optional("Which finding it is.")
    level: Literal["UNKNOWN", "ERROR", "WARNING", "INFO"] | None = optional("How serious it is.")
    documentationUrl: str | None = optional("Page about the finding.")


class Status(Message):
    """What Istio reports about the object."""

    conditions: list[StatusCondition] | None = optional("Its state, by aspect.")
    validationMessages: list[ValidationMessage] | None = optional("Findings of istiod's analysis.")
    observedGeneration: int | str | None = optional("Generation of the object that the status is about.")
