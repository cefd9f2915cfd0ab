"""What a driver on a cluster came to, where whoever asked for it finds it when the driver is gone: `<lake>/jobs/<tag>.json`,
{"result": …} or {"error": {code, message}}.

A child process tells it on stdout; of an application of YARN the output may be lost with its node.
"""

from __future__ import annotations

import os

from common import protocol
from storage import Storage

# Names the application; set by submit.py.
TAG = "HASHIRA_SPARK_TAG"


def keep_outcome(lake: Storage) -> None:
    """From here on, result or failure of this process are kept in the lake too, if it is an application."""
    tag = os.environ.get(TAG)
    if tag:
        protocol.keep(lambda mark, payload: lake.write_json(f"jobs/{tag}.json", {mark: payload}))
