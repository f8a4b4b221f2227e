"""Parameters: one section of params.yaml per stage, checked before a stage does any work."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, WrapValidator

from stages.lib.errors import UserError

PARAMS_FILE = Path("params.yaml")


class Params(BaseModel):
    """Base of every section: no unknown keys, no silent conversion, no change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


PRESET = "preset"


def _or_preset(value: Any, check: Callable[[Any], int]) -> Any:
    return value if value == PRESET else check(value)


class CommonParams(Params):
    """Section `common`: what several stages must agree on.

    seed: start of every random sequence. deterministic: whether TensorFlow computes the same bits each time.
    image_size: height and width in pixels of every model's input; "preset" takes those that the backbone's preset was
    made for. batch_size: pictures per training step.
    """

    seed: Annotated[int, Field(ge=0)]
    deterministic: bool
    image_size: Annotated[int, Field(ge=8, le=2048), WrapValidator(_or_preset)]
    batch_size: Annotated[int, Field(ge=1)]

    @property
    def pixels(self) -> int:
        """Height and width of every model's input; a stage that needs them is started with those of the preset."""
        if self.image_size == PRESET:
            raise UserError(f"common.image_size: expected pixels here. Received: {PRESET!r}")
        return self.image_size


class SourceParams(Params):
    """Section `download`, as far as it says where the pictures come from."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    source: str


class AugmentationParams(Params):
    """How training pictures are varied: flip left to right, rotation and zoom.

    rotation: largest turn either way, as a share of a full turn. zoom: largest change of size, as a share.
    """

    flip: bool
    rotation: Annotated[float, Field(ge=0, le=0.5)]
    zoom: Annotated[float, Field(ge=0, lt=1)]


Precision = Literal["float32", "mixed_bfloat16"]
AskedPrecision = Literal["auto", "float32", "mixed_bfloat16"]


class TrainingParams(Params):
    """What every trained model has: epochs, learning rate of Adam, its schedule, when to stop early, class weights.

    early_stopping: epochs without a lower validation loss after which training stops; None never stops early.
    class_weights: "balanced" lets every class count the same in the losses, which decide the best epoch, None every
    picture.
    """

    enabled: bool
    epochs: Annotated[int, Field(ge=1)]
    learning_rate: Annotated[float, Field(gt=0)]
    schedule: Literal["constant", "cosine"]
    early_stopping: Annotated[int, Field(ge=1)] | None
    class_weights: Literal["balanced"] | None


class PictureTrainingParams(TrainingParams):
    """What every model has that is trained on pictures: how they vary, and the precision of the computation.

    augmentation: None shows each picture as it is. precision: "auto" takes what is clearly faster on this machine.
    """

    augmentation: AugmentationParams | None
    precision: AskedPrecision


class HeadParams(Params):
    """The head on a backbone: units and activation of the dense layer, dropout between it and the classifier."""

    units: Annotated[int, Field(ge=1)]
    activation: Literal["relu", "linear"]
    dropout: Annotated[float, Field(ge=0, lt=1)]


Section = TypeVar("Section", bound=Params)


def read_section(name: str, kind: type[Section], file: Path = PARAMS_FILE) -> Section:
    """Read section `name` of the parameters file as a `kind`.

    Raises:
        UserError: no such file or section, or a key that is unknown, missing or of the wrong value.
    """
    try:
        sections: Any = yaml.safe_load(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{file}: not found; run this from the folder that holds it") from None
    except yaml.YAMLError as error:
        raise UserError(f"{file}: not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(sections, dict) or name not in sections:
        raise UserError(f"{file}: expected a section {name!r}, found {sorted(sections or [])}")
    try:
        return kind.model_validate(sections[name])
    except ValidationError as error:
        raise UserError(f"{file}: " + "; ".join(_explain(name, e) for e in error.errors())) from None


def _explain(section: str, error: Any) -> str:
    key = ".".join([section, *map(str, error["loc"])])
    if error["type"] == "extra_forbidden":
        return f"{key}: no such parameter"
    if error["type"] == "missing":
        return f"{key}: missing"
    return f"{key}: {error['msg'].removeprefix('Value error, ')}. Received: {error['input']!r}"
