"""The real SDK behind the real protocol."""

import json
import os

import pytest

from worker_process import run

CONFIG = """<View><Image name="image" value="$image"/>
<RectangleLabels name="box" toName="image"><Label value="car" category="7"/></RectangleLabels></View>"""
REGION = {
    "id": "r",
    "type": "rectanglelabels",
    "from_name": "box",
    "to_name": "image",
    "original_width": 1000,
    "original_height": 500,
    "value": {"x": 10, "y": 20, "width": 30, "height": 10, "rotation": 0, "rectanglelabels": ["car"]},
}
COCO = {
    "images": [{"id": 0, "file_name": "0.jpg", "width": 1000, "height": 500}],
    "categories": [{"id": 7, "name": 'R&B "x" <y>'}],
    "annotations": [{"id": 0, "image_id": 0, "category_id": 7, "bbox": [100, 100, 300, 50]}],
}


def task(image="s3://bucket/dir a/img%201.jpg"):
    annotation = {"id": 1, "created_at": "2000-01-01T00:00:00Z", "result": [REGION]}
    return {"id": 1, "data": {"image": image}, "annotations": [annotation]}


def ls_to_coco(folder, tasks):
    folder.joinpath("tasks.json").write_text(json.dumps(tasks))
    folder.joinpath("config.xml").write_text(CONFIG)
    return {
        "id": 1,
        "op": "ls_to_coco",
        "input_path": str(folder / "tasks.json"),
        "output_dir": str(folder / "out"),
        "label_config_path": str(folder / "config.xml"),
    }


def coco_to_ls(folder, document):
    folder.joinpath("coco.json").write_text(json.dumps(document))
    folder.joinpath("out").mkdir()
    return {
        "id": 2,
        "op": "coco_to_ls",
        "input_path": str(folder / "coco.json"),
        "output_dir": str(folder / "out"),
        "image_root_url": "s3://images",
    }


def test_a_rectangle_becomes_a_box(tmp_path):
    [told], code, _ = run(ls_to_coco(tmp_path, [task()]), arguments=["--once"])
    assert (told["id"], told["ok"], code) == (1, True, 0)
    assert told["stats"]["seconds"] > 0 and 30e6 < told["rss_bytes"] < 300e6
    with open(told["output"]) as result:
        coco = json.load(result)
    assert coco["images"][0]["file_name"] == "s3://bucket/dir a/img%201.jpg"
    assert coco["categories"] == [{"id": 7, "name": "car"}]
    assert coco["annotations"][0]["bbox"] == pytest.approx([100, 100, 300, 50], abs=1e-9)


@pytest.mark.parametrize("image", ["http://127.0.0.1:9/a.jpg", "/data/upload/1/a.jpg", "gs://bucket/a.jpg"])
def test_no_image_is_fetched(tmp_path, image):
    [told], _, _ = run(ls_to_coco(tmp_path, [task(image)]), arguments=["--once"], LABEL_STUDIO_URL="http://127.0.0.1:9")
    assert told["ok"]
    assert os.listdir(tmp_path / "out/images") == []


def test_what_the_sdk_prints_does_not_disturb_the_answers(tmp_path):
    requests = [coco_to_ls(tmp_path, COCO), {"id": 3, "op": "version"}]
    answers, code, printed = run(*requests)
    assert "Create a new project in Label Studio" in printed
    assert ([one["id"] for one in answers], code) == ([2, 3], 0)
    with open(answers[0]["output"]) as result:
        [made] = json.load(result)
    assert made["data"]["image"] == "s3://images/0.jpg"
    value = made["annotations"][0]["result"][0]["value"]
    assert value["rectanglelabels"] == ['R&B "x" <y>']
    assert [value["x"], value["y"]] == pytest.approx([10, 20], abs=1e-9)


def test_a_failed_conversion_is_an_answer_and_not_the_end(tmp_path):
    broken = {**COCO, "annotations": [{"id": 0, "image_id": 5, "category_id": 7, "bbox": [0, 0, 1, 1]}]}
    answers, code, _ = run(b"nonsense", coco_to_ls(tmp_path, broken), {"id": 3, "op": "version"})
    assert [one.get("error", {}).get("code") for one in answers] == ["bad_request", "conversion_failed", None]
    assert answers[1]["error"]["message"] == "KeyError: 5"
    assert answers[2]["version"] == {"worker": "1", "protocol": 1, "sdk": "2.1.2"}
    assert code == 0


def test_once_tells_by_its_exit_code(tmp_path):
    answers, code, _ = run({"id": 1, "op": "nothing"}, {"id": 2, "op": "version"}, arguments=["--once"])
    assert (len(answers), code) == (1, 1)
    assert run(arguments=["--often"])[1] == 2
