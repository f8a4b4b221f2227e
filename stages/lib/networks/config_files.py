"""What the configuration of a saved model or preset names, looked at before Keras makes it: only what runs no code."""

import re
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BaseModel, Field, FiniteFloat, PositiveInt, ValidationError

from stages.lib.core.errors import UserError

MOST_DEPTH = 100  # of lists and objects inside each other; models have about 20
# Where Keras and KerasHub keep what models are made of. A module named here is imported, so no other one may be.
_PARTS = (
    r"activations|constraints|dtype_policies|initializers|layers|losses|metrics|models|ops|optimizers|quantizers"
    r"|regularizers"
)
_MODULE = re.compile(rf"keras|keras(\.src)?\.({_PARTS})(\.\w+)*|keras_hub(\.\w+)*")
# They run code or read files that the model names.
_REFUSED = {"Lambda", "__lambda__", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "__typespec__"}


_Scaling = FiniteFloat | list[FiniteFloat] | None


class _Converter(BaseModel):
    """What is read here of the configuration of an image converter; Keras looks at the rest."""

    image_size: Annotated[list[PositiveInt], Field(min_length=2, max_length=2)] | None = None
    scale: _Scaling = None
    offset: _Scaling = None
    crop_to_aspect_ratio: bool | None = None
    pad_to_aspect_ratio: bool | None = None


class _OfConverter(BaseModel):
    config: _Converter = _Converter()


class _OfBackbone(BaseModel):
    config: dict[str, Any] = {}


def check_kinds(place: str, content: dict[str, Any], of_images: bool = False) -> None:
    """Refuse a configuration of a preset in which something that is read here is of another kind than KerasHub writes.

    Args:
        place: for the error.
        content: of the file, as JSON has it.
        of_images: whether it is that of the image converter.

    Raises:
        UserError: naming the key.
    """
    try:
        (_OfConverter if of_images else _OfBackbone).model_validate(content, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        key, what = ".".join(map(str, first["loc"])), first["msg"].partition(" or instance of")[0]
        raise UserError(f"{place}: {key}: {what}, found {str(first['input'])[:200]!r}") from None


def check_classes(place: str, config: dict[str, Any]) -> None:
    """Refuse a configuration that names what is not a class of Keras or KerasHub, or a class that runs code.

    Args:
        place: for the error.
        config: of a model or a part of one, as JSON has it.

    Raises:
        UserError: naming the class.
    """
    for node in _objects(place, config):
        name, module, registered = node.get("class_name"), node.get("module"), node.get("registered_name")
        if not all(isinstance(one, str | None) for one in (name, module, registered)):
            raise UserError(f"{place}: expected names of classes, found {str((name, module, registered))[:200]}")
        if name in _REFUSED:
            raise UserError(f"{place}: a layer of the class {name} runs code or reads files of others: not loaded")
        of_keras = module is None or bool(_MODULE.fullmatch(module)) or (module, name) == ("builtins", "function")
        if not of_keras or (registered is not None and ">" in registered and not registered.startswith("keras_hub>")):
            found = registered if of_keras else f"{module}.{name}"
            raise UserError(f"{place}: expected classes of Keras and KerasHub alone, found {str(found)[:200]!r}")


def _objects(place: str, config: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All objects within a configuration, however deep."""
    waiting: list[tuple[Any, int]] = [(config, 0)]
    while waiting:
        node, depth = waiting.pop()
        if depth > MOST_DEPTH:
            raise UserError(f"{place}: expected at most {MOST_DEPTH} lists and objects inside each other, found more")
        if isinstance(node, dict):
            yield node
            waiting.extend((value, depth + 1) for value in node.values())
        elif isinstance(node, list):
            waiting.extend((value, depth + 1) for value in node)
