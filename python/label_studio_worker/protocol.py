"""The lines that go over standard input and output.

A request:  {"id": 1, "op": "ls_to_coco", "input_path": "…", "output_dir": "…", "label_config_path": "…"}
            {"id": 2, "op": "coco_to_ls", "input_path": "…", "output_dir": "…", "image_root_url": "s3://…"}
            {"id": 3, "op": "version"}
An answer:  {"id": 1, "ok": true, "output": "…/result.json", "stats": {"seconds": 0.4}, "rss_bytes": 81264640}
            {"id": 3, "ok": true, "version": {"worker": "1", "protocol": 1, "sdk": "2.1.2"}, …}
            {"id": 2, "ok": false, "error": {"code": "conversion_failed", "message": "KeyError: 'id'"}, …}

All paths are absolute. A request that cannot be read is answered with the id null.
"""

import json
import os
from dataclasses import dataclass

PROTOCOL_VERSION = 1

# What each operation asks for, beside "id" and "op".
PATHS = {
    "version": (),
    "ls_to_coco": ("input_path", "output_dir", "label_config_path"),
    "coco_to_ls": ("input_path", "output_dir"),
}
TEXTS = {"version": (), "ls_to_coco": (), "coco_to_ls": ("image_root_url",)}


class RequestError(Exception):
    """A request that is not served; `code` is one of "bad_request" and "conversion_failed"."""

    def __init__(self, code, message, request_id=None):
        super().__init__(message)
        self.code = code
        self.request_id = request_id


@dataclass(frozen=True)
class Request:
    """One request: what is to be done, and with which files."""

    id: int
    op: str
    fields: dict


def parse_request(line):
    """Reads a line; raises `RequestError` where it is not a request."""
    try:
        document = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise RequestError("bad_request", f"not JSON: {error}") from error
    if not isinstance(document, dict):
        raise RequestError("bad_request", "a request is an object")
    request_id = document.get("id")
    if not isinstance(request_id, int) or isinstance(request_id, bool):
        raise RequestError("bad_request", '"id" is an integer')
    op = document.get("op")
    if not isinstance(op, str) or op not in PATHS:
        raise RequestError("bad_request", f'"op" is one of {", ".join(PATHS)}', request_id)
    wanted = PATHS[op] + TEXTS[op]
    unknown = set(document) - {"id", "op", *wanted}
    if unknown:
        raise RequestError("bad_request", f"unknown: {', '.join(sorted(unknown))}", request_id)
    fields = {}
    for name in wanted:
        value = document.get(name)
        if not isinstance(value, str) or not value:
            raise RequestError("bad_request", f'"{name}" is a text', request_id)
        if name in PATHS[op] and not os.path.isabs(value):
            raise RequestError("bad_request", f'"{name}" is an absolute path', request_id)
        fields[name] = value
    return Request(request_id, op, fields)


def answer(request_id, **members):
    """A successful answer, as a line."""
    return line({"id": request_id, "ok": True, **members})


def refusal(error, **members):
    """The answer that reports a `RequestError`, as a line."""
    told = {"code": error.code, "message": str(error)}
    return line({"id": error.request_id, "ok": False, "error": told, **members})


def line(document):
    """A document as a line of bytes."""
    return json.dumps(document, separators=(",", ":")).encode() + b"\n"
