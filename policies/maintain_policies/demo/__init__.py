"""The policies that `maintain init` and `maintain demo` write out, as package data."""

from __future__ import annotations

from importlib.resources import files

__all__ = ["DEMO_POLICIES", "DEMO_POLICY", "demo_policy"]

#: The file that the demo runs.
DEMO_POLICY = "consent-withdrawal.yaml"

#: One policy to start from for each claim.
DEMO_POLICIES = (
    DEMO_POLICY,
    "impostor.yaml",
    "retired-camera.yaml",
    "retired-diagnosis.yaml",
    "variant-anatomy.yaml",
)


def demo_policy(name: str = DEMO_POLICY) -> str:
    """The text of a demo policy, ready to be written into a workspace."""
    return (files(__name__) / name).read_text(encoding="utf-8")
