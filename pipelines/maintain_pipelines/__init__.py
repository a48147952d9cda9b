"""The order of things: one stage a file, each from frozen values to one frozen value.

Stages are imported from their own modules, because some of them load torch and most callers want
one of them.
"""

from __future__ import annotations

__all__: list[str] = []
