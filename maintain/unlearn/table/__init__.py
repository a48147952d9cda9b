"""The rows of the table of methods, a file a family: what each is, claims, needs and may be told.

Read without torch. What a method does stands in the module that its row names.
"""

from maintain.unlearn.table.anew import ANEW
from maintain.unlearn.table.controls import CONTROLS
from maintain.unlearn.table.perturbed import PERTURBED
from maintain.unlearn.table.relabelling import RELABELLING
from maintain.unlearn.table.resetting import RESETTING
from maintain.unlearn.table.rivals import RIVALS

__all__ = ["ANEW", "CONTROLS", "PERTURBED", "RELABELLING", "RESETTING", "RIVALS"]
