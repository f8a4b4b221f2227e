"""What a section of params.yaml is, and the parts that several sections share; `sections` holds the sections."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, WrapValidator

from smallset.images.choices import Interpolation, ResizeMode
from stages.lib.core.errors import UserError


class Params(BaseModel):
    """Base of every section: no unknown keys, no silent conversion, only finite numbers, no change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


AskedResizeMode = Literal[ResizeMode, "preset"]
AskedInterpolation = Literal[Interpolation, "preset"]
PRESET = "preset"


def or_word(word: str) -> WrapValidator:
    """A word beside what a field takes: one mistake that names both, where a union of types would make two."""

    def validate(value: Any, check: Callable[[Any], Any]) -> Any:
        if value == word:
            return value
        try:
            return check(value)
        except ValidationError as error:
            raise ValueError(f"{error.errors()[0]['msg']}, or {word!r}") from None

    return WrapValidator(validate)


class CommonParams(Params):
    """Section `common`: what several stages must agree on.

    Attributes:
        seed: start of every random sequence; below 2^31, as TensorFlow's seeds are 32-bit integers with a sign.
        deterministic: whether TensorFlow computes the same bits each time.
        image_size: height and width in pixels of every model's input; "preset" takes those that the backbone's preset
            was made for.
        batch_size: images per training step.
        resize: as in `resizing.Resizing`; "preset" is what the backbone's image converter has.
        interpolation: as in `resizing.Resizing`; "preset" is what the backbone's image converter has.
    """

    seed: Annotated[int, Field(ge=0, lt=2**31)]
    deterministic: bool
    image_size: Annotated[int, Field(ge=8, le=2048), or_word(PRESET)]
    batch_size: Annotated[int, Field(ge=1)]
    resize: AskedResizeMode
    interpolation: AskedInterpolation

    @property
    def has_pixels(self) -> bool:
        """Whether the size is known, rather than left to the preset."""
        return isinstance(self.image_size, int)

    @property
    def pixels(self) -> int:
        """Height and width of every model's input; a stage that needs them is started with those of the preset."""
        if not self.has_pixels:
            raise UserError(f"common.image_size: expected pixels here. Received: {PRESET!r}")
        return self.image_size


class AugmentationParams(Params):
    """How training images are varied: flip left to right, rotation and zoom.

    Attributes:
        rotation: largest turn either way, as a share of a full turn.
        zoom: largest change of size, as a share.
    """

    flip: bool
    rotation: Annotated[float, Field(ge=0, le=0.5)]
    zoom: Annotated[float, Field(ge=0, lt=1)]


Precision = Literal["float32", "mixed_bfloat16"]
AskedPrecision = Literal["auto", Precision]
Pooling = Literal["mean", "cls", "both"]


class TrainingParams(Params):
    """What every trained model has: epochs, learning rate of Adam, its schedule, when to stop early, class weights.

    Attributes:
        min_steps: training steps that all epochs together have at least; where the images make fewer, each epoch goes
            over them several times. None: an epoch is once over the images, however few they are.
        early_stopping: epochs without a lower validation loss after which training stops; None never stops early.
        class_weights: "balanced" lets every class count the same in the losses, which decide the best epoch, None every
            image.
        mirror: whether the saved model looks at each image and its mirror image, and takes the mean of their features.
    """

    enabled: bool
    epochs: Annotated[int, Field(ge=1)]
    min_steps: Annotated[int, Field(ge=1)] | None
    learning_rate: Annotated[float, Field(gt=0)]
    schedule: Literal["constant", "cosine"]
    early_stopping: Annotated[int, Field(ge=1)] | None
    class_weights: Literal["balanced"] | None
    mirror: bool


class ImageTrainingParams(TrainingParams):
    """What every model has that is trained on images: how they vary, and the precision of the computation.

    Attributes:
        augmentation: None shows each image as it is.
        precision: "auto" takes what is clearly faster on this machine.
    """

    augmentation: AugmentationParams | None
    precision: AskedPrecision


class HeadParams(Params):
    """The head on a backbone: units and activation of the dense layer, dropout between it and the classifier."""

    units: Annotated[int, Field(ge=1)]
    activation: Literal["relu", "linear"]
    dropout: Annotated[float, Field(ge=0, lt=1)]
