"""The policies that `maintain init` and `maintain demo` write out: three worked examples, and two for the demo."""

from __future__ import annotations

from importlib.resources import files

from maintain_policies.worked import worked_policy

__all__ = ["DEMO_POLICIES", "DEMO_POLICY", "STORY_POLICIES", "demo_policy"]

#: The file that people see first.
DEMO_POLICY = "consent-withdrawal.yaml"

#: One policy to start from for each claim: what a new workspace is given.
DEMO_POLICIES = (DEMO_POLICY, "retired-camera.yaml", "variant-anatomy.yaml")

#: Policies of the demo's stories that no worked example tells; they lie here.
OWN_POLICIES = ("impostor.yaml", "retired-diagnosis.yaml")

#: Policies of the demo's stories that a new workspace is not given.
STORY_POLICIES = ("forget-requests.yaml", *OWN_POLICIES)


def demo_policy(name: str = DEMO_POLICY) -> str:
    """The text of a demo policy, ready to be written into a workspace."""
    if name in OWN_POLICIES:
        return (files(__name__) / name).read_text(encoding="utf-8")
    return worked_policy(name.removesuffix(".yaml"))
