"""The loop: a request in, an answer out, one at a time."""

import time

from . import WORKER_VERSION, conversion
from .memory import resident_bytes
from .protocol import PROTOCOL_VERSION, RequestError, answer, parse_request, refusal


def serve(requests, answers, once=False):
    """Answers requests until there are no more, or one. Returns whether the last one was served."""
    served = True
    for text in requests:
        served, told = reply(text)
        answers.write(told)
        answers.flush()
        if once:
            break
    return served


def reply(text):
    """(whether the request was served, the answer as a line)."""
    try:
        members = serve_one(parse_request(text))
    except RequestError as error:
        return False, refusal(error, rss_bytes=resident_bytes())
    return True, answer(**members, rss_bytes=resident_bytes())


def serve_one(request):
    """Serves a request; returns the members of its answer."""
    if request.op == "version":
        version = {
            "worker": WORKER_VERSION,
            "protocol": PROTOCOL_VERSION,
            "sdk": conversion.sdk_version(),
        }
        return {"request_id": request.id, "version": version}
    begun = time.perf_counter()
    output = conversion.convert(request)
    stats = {"seconds": round(time.perf_counter() - begun, 6)}
    return {"request_id": request.id, "output": output, "stats": stats}
