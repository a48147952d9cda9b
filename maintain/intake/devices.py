"""How manufacturers and models are really spelt: a table you can see.

A policy that names a device must find all of its images, whichever firmware wrote the header.
What no row names is kept as it is, trimmed and with single blanks.
"""

from __future__ import annotations

from collections.abc import Mapping

from maintain.intake.identity import clean

#: Longest text of a DICOM LO element (PS3.5 table 6.2-1); longer ones are not names.
LONGEST_NAME = 64

#: Spelling (case-folded, single blanks, no final full stop) -> the name that is stored.
MANUFACTURERS: Mapping[str, str] = {
    "canon": "Canon",
    "canon inc": "Canon",
    "canon inc.": "Canon",
    "canon medical systems": "Canon",
    "carl zeiss": "Carl Zeiss Meditec",
    "carl zeiss meditec": "Carl Zeiss Meditec",
    "carl zeiss meditec ag": "Carl Zeiss Meditec",
    "carl zeiss meditec inc": "Carl Zeiss Meditec",
    "carl zeiss meditec, inc": "Carl Zeiss Meditec",
    "zeiss": "Carl Zeiss Meditec",
    "ge": "GE HealthCare",
    "ge healthcare": "GE HealthCare",
    "ge medical systems": "GE HealthCare",
    "general electric": "GE HealthCare",
    "halden optik": "Halden Optik",
    "heidelberg": "Heidelberg Engineering",
    "heidelberg engineering": "Heidelberg Engineering",
    "heidelberg engineering gmbh": "Heidelberg Engineering",
    "kowa": "Kowa",
    "kowa company, ltd": "Kowa",
    "nidek": "Nidek",
    "nidek co., ltd": "Nidek",
    "nidek co.,ltd": "Nidek",
    "northlight": "Northlight Ophthalmics",
    "northlight ophthalmics": "Northlight Ophthalmics",
    "northlight ophthalmics ltd": "Northlight Ophthalmics",
    "optos": "Optos",
    "optos plc": "Optos",
    "philips": "Philips",
    "philips healthcare": "Philips",
    "philips medical systems": "Philips",
    "siemens": "Siemens Healthineers",
    "siemens ag": "Siemens Healthineers",
    "siemens healthcare": "Siemens Healthineers",
    "siemens healthineers": "Siemens Healthineers",
    "siemens medical solutions": "Siemens Healthineers",
    "sorrel imaging": "Sorrel Imaging",
    "topcon": "Topcon",
    "topcon corporation": "Topcon",
    "topcon medical systems": "Topcon",
}

#: (normalised manufacturer, spelling of the model) -> the name that is stored.
MODELS: Mapping[tuple[str, str], str] = {
    ("Canon", "canon cr-2"): "CR-2",
    ("Canon", "cr-2"): "CR-2",
    ("Canon", "cr2"): "CR-2",
    ("Carl Zeiss Meditec", "visucam 500"): "Visucam 500",
    ("Carl Zeiss Meditec", "visucam500"): "Visucam 500",
    ("Carl Zeiss Meditec", "zeiss visucam 500"): "Visucam 500",
    ("Northlight Ophthalmics", "cirrus 800 fa"): "Cirrus 800 FA",
    ("Northlight Ophthalmics", "cirrus 800fa"): "Cirrus 800 FA",
    ("Northlight Ophthalmics", "cirrus-800 fa"): "Cirrus 800 FA",
    ("Northlight Ophthalmics", "cirrus800fa"): "Cirrus 800 FA",
    ("Topcon", "topcon trc-nw6s"): "TRC-NW6S",
    ("Topcon", "trc nw6s"): "TRC-NW6S",
    ("Topcon", "trc-nw6s"): "TRC-NW6S",
}


def normalise_device(manufacturer: str | None, model: str | None) -> tuple[str | None, str | None]:
    """The stored names of a manufacturer and a model; None where the header says nothing."""
    made_by = tidy(manufacturer)
    named = tidy(model)
    made_by = MANUFACTURERS.get(_spelling(made_by), made_by)
    return made_by or None, MODELS.get((made_by, _spelling(named)), named) or None


def tidy(text: str | None) -> str:
    """Printable characters, single blanks, no more than DICOM allows."""
    return clean(" ".join((text or "").split()))[:LONGEST_NAME].strip()


# --- private ---------------------------------------------------------------------------------------


def _spelling(name: str) -> str:
    return name.casefold().rstrip(".")
