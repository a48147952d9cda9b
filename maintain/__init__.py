"""`maintain` keeps clinical imaging models honest after they are deployed.

The package front door. It imports nothing heavy and sets the switches that must be in the
environment before anybody imports MONAI or MLflow: both would otherwise call home or record
the environment of a machine that handles patient data.
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
}

for _name, _value in _QUIET_ENVIRONMENT.items():
    os.environ.setdefault(_name, _value)
