"""The stories of the demo as data: what is asked, by which policy, and what an honest end looks like."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Way(StrEnum):
    """How a story ends when it is told as it was meant."""

    RETRAINED = "retrained"
    """Whatever was tried before it, a model that was trained anew is released."""
    REVISED = "revised"
    """The champion itself is revised, and gates of behaviour release it."""
    REFUSED = "refused"
    """An impostor is offered, and a gate of forgetting refuses it."""


@dataclass(frozen=True, slots=True)
class Story:
    """One story: the letter it is called by, its policy file, what happens, and how it is meant to end."""

    letter: str
    title: str
    policy: str
    told: str
    way: Way
    letter_arrives: bool = False


#: In the order in which they are played: each promotes its version, and the next one starts from that. The impostor
#: is offered for the anatomy while the champion still leaks it.
STORIES = (
    Story(
        "a",
        "A withdrawn camera",
        "retired-camera.yaml",
        "A camera is withdrawn. Something cheap is tried first and held against three models that never saw the"
        " camera; what it leaves is shown, and the retrain is released.",
        Way.RETRAINED,
    ),
    Story(
        "e",
        "An impostor",
        "impostor.yaml",
        "Somebody offers the champion itself with one bias nudged, in a complete run folder, and says that it forgot"
        " the variant anatomy.",
        Way.REFUSED,
    ),
    Story(
        "b",
        "A variant anatomy",
        "variant-anatomy.yaml",
        "Patients with an image unlike others of its camera and diagnosis, most of them of a variant anatomy, shall no"
        " longer be told from patients whom the model never saw. Nobody marked them: a score selects them.",
        Way.REVISED,
    ),
    Story(
        "c",
        "A patient's letter",
        "forget-requests.yaml",
        "A letter arrives: one patient takes back consent. It is filed as a request, and the next call of"
        " `jobs run-due` answers it. Only a model that was never trained on the images will do.",
        Way.RETRAINED,
        letter_arrives=True,
    ),
    Story(
        "d",
        "A retired diagnosis",
        "retired-diagnosis.yaml",
        "A diagnosis is retired: no image may be given it any more. The last layer is taught other answers.",
        Way.REVISED,
    ),
)
