"""A model that a hospital already serves becomes the first champion of a lineage, as far as it can be shown to be it.

The front door. Order -> members, pictures, fitted weights, compared outputs -> the installed version.
"""

from __future__ import annotations

from maintain_pipelines.adopting.adopt import adopt
from maintain_pipelines.adopting.comparing import TOLERANCE, Compared
from maintain_pipelines.adopting.installing import Adopted
from maintain_pipelines.adopting.order import AdoptionOrder, label_order_of

__all__ = ["TOLERANCE", "Adopted", "AdoptionOrder", "Compared", "adopt", "label_order_of"]
