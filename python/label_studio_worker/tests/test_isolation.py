"""What the SDK cannot do from inside the worker."""

import pytest

from label_studio_worker.isolation import FIXED, scrubbed
from worker_process import run, run_code

SHUT_IN = """
import sys, tempfile
from label_studio_worker import isolation
requests, answers = isolation.claim_streams()
folder = tempfile.mkdtemp()
isolation.shut_in(folder)
"""


def test_the_environment_is_scrubbed():
    names = ["URL", "HOST", "API_KEY", "ACCESS_TOKEN", "FORCE_ANNOTATOR_EXPORT"]
    hostile = {f"LABEL_STUDIO_{name}": "x" for name in names}
    hostile |= {"HTTPS_PROXY": "x", "AWS_SECRET_ACCESS_KEY": "x", "PYTHONHASHSEED": "7", "HOME": "/x"}
    assert scrubbed({**hostile, "TMPDIR": "/t", "PYTHONPATH": "/p"}) == {
        "TMPDIR": "/t",
        "PYTHONPATH": "/p",
        **FIXED,
    }


def test_a_worker_with_another_environment_starts_itself_again():
    answers, code, _ = run({"id": 1, "op": "version"}, LABEL_STUDIO_URL="http://localhost", PYTHONHASHSEED="7")
    assert (len(answers), code) == (1, 0)
    told = run_code(
        "import os, sys\n"
        "from label_studio_worker import isolation\n"
        "isolation.ensure_environment()\n"
        "print(sorted(os.environ), sys.flags.hash_randomization, sys.flags.utf8_mode, file=sys.stderr)\n"
    )
    kept = ["LC_ALL", "PATH", "PYTHONCOERCECLOCALE", "PYTHONHASHSEED", "PYTHONPATH", "PYTHONUTF8"]
    assert told.split("\n")[-2] == f"{kept} 0 1"


@pytest.mark.parametrize(
    "attempt",
    [
        "import socket; socket.socket()",
        "import socket; socket.getaddrinfo('localhost', 80)",
        "import requests; requests.get('http://127.0.0.1:9/')",
        "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9/')",
        "import subprocess; subprocess.run(['true'])",
        "import os; os.system('true')",
        "import os; os.fork()",
    ],
)
def test_network_and_other_programs_are_refused(attempt):
    tried = f"try:\n    {attempt}\nexcept Exception as error:\n    print(error, file=sys.stderr)\nelse:\n    sys.exit(1)"
    assert "the worker refuses" in run_code(f"{SHUT_IN}\n{tried}")


def test_only_the_protocol_reaches_standard_output():
    told = run_code(
        f"{SHUT_IN}\n"
        "import os\n"
        "print('printed')\n"
        "os.write(1, b'written\\n')\n"
        "print(os.read(0, 9), os.getcwd() == os.path.realpath(folder), os.environ['HOME'] == folder)\n"
    )
    assert sorted(told.split("\n")) == ["", "b'' True True", "printed", "written"]
