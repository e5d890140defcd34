"""Runs the conversion utilities of the Label Studio SDK for another program, one request after the other.

The only place that imports the SDK. Requests and answers are lines of JSON on standard input and output
(`protocol.py`); what is converted is in files. `python -m label_studio_worker` serves until its input ends,
`python -m label_studio_worker --once` serves one request.
"""

WORKER_VERSION = "1"
