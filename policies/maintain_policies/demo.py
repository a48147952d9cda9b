"""The policies that `maintain init` and `maintain demo` write out: three of the worked examples."""

from __future__ import annotations

from maintain_policies.worked import worked_policy

#: The file that the demo runs.
DEMO_POLICY = "consent-withdrawal.yaml"

#: One policy to start from for each claim.
DEMO_POLICIES = (DEMO_POLICY, "retired-camera.yaml", "variant-anatomy.yaml")


def demo_policy(name: str = DEMO_POLICY) -> str:
    """The text of a demo policy, ready to be written into a workspace."""
    return worked_policy(name.removesuffix(".yaml"))
