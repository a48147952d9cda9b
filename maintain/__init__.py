"""`maintain` keeps clinical imaging models honest after they are deployed.

The package front door. It imports nothing heavy and sets the switches that must be in the
environment before anybody imports MONAI or MLflow: both would otherwise call home, record the
environment of a machine that handles patient data, or print into the answer of a command.
"""

from __future__ import annotations

import os

__all__ = ["__version__"]

__version__ = "0.1.0"

#: Read by MLflow when it is imported (also through MONAI, which imports it when it is installed).
_QUIET_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_RECORD_ENV_VARS_IN_MODEL_LOGGING": "false",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}

for _name, _value in _QUIET_ENVIRONMENT.items():
    os.environ.setdefault(_name, _value)
