"""The embedded Chroma server: `python ml/common/chroma_server.py --data DIR --port N`.

The same server as `chroma run`, started through the Rust library of the PyPI package: of the package's Python part
nothing is imported, and so none of its dependencies is installed. That entry of the library is not a public interface,
so Chroma's version is pinned (ml/bare.lock), and a test starts this. Answers GET /api/v2/heartbeat when ready;
SIGTERM ends it.
"""

import argparse
import os
from pathlib import Path


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--data", type=Path, required=True, help="folder of the collections")
    arguments.add_argument("--host", default="127.0.0.1")
    arguments.add_argument("--port", type=int, required=True)
    options = arguments.parse_args()
    data = options.data.resolve()
    data.mkdir(parents=True, exist_ok=True)
    os.environ["ANONYMIZED_TELEMETRY"] = "false"

    import chromadb_rust_bindings

    flags = ["--path", str(data), "--host", options.host, "--port", str(options.port)]
    chromadb_rust_bindings.cli(["chroma", "run", *flags])


if __name__ == "__main__":
    main()
