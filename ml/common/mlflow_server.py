"""The embedded MLflow server: `python ml/common/mlflow_server.py --data DIR --port N`.

The same application as `mlflow server`, started directly: that command imports MLflow in two processes and
keeps both (5 s and 450 MB, where this takes 2.6 s and 260 MB). How it passes its options to the application
is not a public interface, so MLflow's version is pinned, and a test starts this. Answers GET /health when
ready; SIGTERM ends it at once.

Versions and metrics are in SQLite and models in a folder of DIR, unless MLflow's own variables MLFLOW_BACKEND_STORE_URI
(postgresql://…) and MLFLOW_ARTIFACTS_DESTINATION (s3://…, at MLFLOW_S3_ENDPOINT_URL) say otherwise.
"""

import argparse
import os
import sys
import warnings
from pathlib import Path


def environment(data: Path) -> dict[str, str]:
    """Variables that the application reads at import."""
    database = os.environ.get("MLFLOW_BACKEND_STORE_URI") or f"sqlite:///{data / 'mlflow.db'}"
    return {
        "_MLFLOW_SERVER_FILE_STORE": database,
        "_MLFLOW_SERVER_REGISTRY_STORE": database,
        "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
        "_MLFLOW_SERVER_ARTIFACT_DESTINATION": os.environ.get("MLFLOW_ARTIFACTS_DESTINATION")
        or str(data / "artifacts"),
        "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument(
        "--data", type=Path, required=True, help="folder of the database and the artifacts"
    )
    arguments.add_argument("--host", default="127.0.0.1")
    arguments.add_argument("--port", type=int, required=True)
    options = arguments.parse_args()
    data = options.data.resolve()
    data.mkdir(parents=True, exist_ok=True)
    os.environ.update(environment(data))
    # The folder of this file, which Python puts first, holds modules with common names.
    sys.path.pop(0)

    # MLflow's own use of what its libraries deprecate.
    warnings.simplefilter("ignore")

    import uvicorn

    uvicorn.run("mlflow.server.fastapi_app:app", host=options.host, port=options.port, log_level="warning")


if __name__ == "__main__":
    main()
