"""Lines that are requests, and lines that are not."""

import json

import pytest

from label_studio_worker.protocol import Request, RequestError, answer, parse_request, refusal


def test_a_request_is_read():
    text = b'{"id":7,"op":"ls_to_coco","input_path":"/a","output_dir":"/b","label_config_path":"/c"}\n'
    fields = {"input_path": "/a", "output_dir": "/b", "label_config_path": "/c"}
    assert parse_request(text) == Request(7, "ls_to_coco", fields)
    assert parse_request(b'{"op":"version","id":0}') == Request(0, "version", {})


@pytest.mark.parametrize(
    ("text", "request_id"),
    [
        (b"", None),
        (b"no JSON", None),
        (b"\xff", None),
        (b"[" * 100_000, None),
        (b"[]", None),
        (b'{"op":"version"}', None),
        (b'{"id":true,"op":"version"}', None),
        (b'{"id":"1","op":"version"}', None),
        (b'{"id":1}', 1),
        (b'{"id":1,"op":["version"]}', 1),
        (b'{"id":1,"op":"eval"}', 1),
        (b'{"id":1,"op":"version","more":1}', 1),
        (b'{"id":1,"op":"coco_to_ls","input_path":"/a","output_dir":"/b"}', 1),
        (b'{"id":1,"op":"coco_to_ls","input_path":"/a","output_dir":"b","image_root_url":"s3://c"}', 1),
        (b'{"id":1,"op":"coco_to_ls","input_path":1,"output_dir":"/b","image_root_url":"s3://c"}', 1),
    ],
)
def test_what_is_no_request_is_refused(text, request_id):
    with pytest.raises(RequestError) as refused:
        parse_request(text)
    assert (refused.value.code, refused.value.request_id) == ("bad_request", request_id)
    told = json.loads(refusal(refused.value))
    assert (told["ok"], told["id"]) == (False, request_id)


def test_an_answer_is_one_line():
    told = answer(1, output="/a\nb")
    assert told.count(b"\n") == 1 and told.endswith(b"\n")
    assert json.loads(told) == {"id": 1, "ok": True, "output": "/a\nb"}
