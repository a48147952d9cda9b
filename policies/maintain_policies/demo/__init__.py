"""The policies that `maintain init` and `maintain demo` write out: three worked examples, and two for the demo."""

from __future__ import annotations

from importlib.resources import files

from maintain_policies.worked import worked_policy

__all__ = ["DEMO_POLICIES", "DEMO_POLICY", "demo_policy"]

#: The file that people see first.
DEMO_POLICY = "consent-withdrawal.yaml"

#: Policies of stories that no worked example tells; they lie here.
_OWN = ("impostor.yaml", "retired-diagnosis.yaml")

#: One policy for each story of the demo.
DEMO_POLICIES = (DEMO_POLICY, "retired-camera.yaml", "variant-anatomy.yaml", *_OWN)


def demo_policy(name: str = DEMO_POLICY) -> str:
    """The text of a demo policy, ready to be written into a workspace."""
    if name in _OWN:
        return (files(__name__) / name).read_text(encoding="utf-8")
    return worked_policy(name.removesuffix(".yaml"))
