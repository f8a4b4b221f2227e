"""The section of params.yaml that says what is answered, and when nothing is."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from stages.lib.core.params import Params

_Share = Annotated[float, Field(gt=0, lt=1)]
_Cost = Annotated[float, Field(ge=0, le=1e9)]


class DecisionsParams(Params):
    """Section `decisions`.

    Attributes:
        criterion: what the predicted class is best for; "accuracy" is the likeliest class.
        of_class: the class that "f1" and "recall" are of; the others are predicted where it is not.
        recall: share of its images that "recall" has to find.
        costs: of "cost", by class and by what is predicted in its place; what is not named costs 1.
        accuracy: that the answered images have to reach, others are `unsure`; None: every image is answered.
        keep: share of images like the training images that must not be called `unknown`; None: no image is.
    """

    enabled: bool
    criterion: Literal["accuracy", "f1", "recall", "cost"]
    of_class: Annotated[str, Field(min_length=1)] | None
    recall: _Share
    costs: dict[str, dict[str, _Cost]]
    accuracy: _Share | None
    keep: _Share | None

    @model_validator(mode="after")
    def _agree(self) -> "DecisionsParams":
        if self.criterion in ("f1", "recall") and self.of_class is None:
            raise ValueError(f"expected of_class, the class that {self.criterion} is of. Received: null")
        if self.criterion == "cost" and not self.costs:
            raise ValueError("expected costs with criterion: cost. Received: {}")
        # What is asked for and not done would pass for done.
        if self.of_class is not None and self.criterion not in ("f1", "recall"):
            raise ValueError(f"expected of_class: null with criterion: {self.criterion}. Received: {self.of_class!r}")
        if self.costs and self.criterion != "cost":
            raise ValueError(f"expected costs: {{}} with criterion: {self.criterion}. Received: {self.costs!r}")
        for name, row in self.costs.items():
            if name in row:
                raise ValueError(f"costs: expected costs of errors, {name!r} predicted for {name!r} is none")
        return self
