"""The calls into the SDK. It is imported by `load` and not with this module: `isolation` has to do its work before."""

import importlib.metadata
import os

from .protocol import RequestError

SDK = "label-studio-sdk"
# The SDK appends to these: `label_rectangles`, `labelpolygons`.
TO_NAME, FROM_NAME = "image", "label"


def sdk_version():
    """The SDK's version as its package states it; `label_studio_sdk.converter.__version__` is something else."""
    return importlib.metadata.version(SDK)


def load():
    """Imports the SDK. Its `__init__` catches what is missing and only prints it; this fails."""
    from label_studio_sdk.converter import Converter  # noqa: F401
    from label_studio_sdk.converter.imports import coco  # noqa: F401


def convert(request):
    """Serves "ls_to_coco" or "coco_to_ls"; returns the path of what was written."""
    convert_one = {"ls_to_coco": _ls_to_coco, "coco_to_ls": _coco_to_ls}[request.op]
    try:
        output = convert_one(request.fields)
    # Whatever the SDK raises is about this request; the worker goes on. SystemExit would not be.
    except Exception as error:
        message = f"{type(error).__name__}: {error}"
        raise RequestError("conversion_failed", message[:2000], request.id) from error
    if not os.path.isfile(output):
        raise RequestError("conversion_failed", "the SDK wrote nothing", request.id)
    return output


def _ls_to_coco(fields):
    from label_studio_sdk.converter import Converter

    # Given a path the SDK reads it; given the text it would first look for a file of that name.
    converter = Converter(fields["label_config_path"], project_dir=None, download_resources=False)
    converter.convert(fields["input_path"], fields["output_dir"], "COCO", is_dir=False)
    return os.path.join(fields["output_dir"], "result.json")


def _coco_to_ls(fields):
    from label_studio_sdk.converter.imports.coco import convert_coco_to_ls

    output = os.path.join(fields["output_dir"], "result.json")
    convert_coco_to_ls(
        fields["input_path"],
        output,
        to_name=TO_NAME,
        from_name=FROM_NAME,
        out_type="annotations",
        image_root_url=fields["image_root_url"],
    )
    return output
