"""A small sheet of forgotten images, for whoever asks for it by name; never of people who took something back."""

from __future__ import annotations

import struct
import zlib

import numpy as np

from maintain.arrays import Pixels
from maintain.errors import InputError, MaintainError
from maintain.records import Plan, RoleTable
from maintain.report import Picture
from maintain.vocabulary import Role
from maintain_pipelines.context import Context

#: So many images make a sheet.
MOST_PICTURES = 12

#: PNG, https://www.w3.org/TR/png-3/: signature, 8 bits a sample, colour types by the number of channels.
_SIGNATURE, _BITS, _COLOUR = b"\x89PNG\r\n\x1a\n", 8, {1: 0, 3: 2}


def pictures_of(plan: Plan, roles: RoleTable, context: Context) -> tuple[Picture, ...]:
    """The first forgotten images by case. Those that cannot be read any more are left out.

    Raises `InputError` for reasons of consent and data subjects: their images are shown to nobody.
    """
    if plan.reason.personal:
        raise InputError(
            f"Images are not shown in a report for the reason {plan.reason}: they are what was taken back.",
            remedy="Write the report without --with-images.",
        )
    found: list[Picture] = []
    for case in roles.of(Role.FORGET):
        if len(found) == MOST_PICTURES:
            break
        try:
            pixels = context.arrays.get(case.pixels)
        except MaintainError:
            continue
        if pixels.shape[2] in _COLOUR:
            found.append(Picture(case.case_id, case.label, png_of(pixels)))
    return tuple(found)


def png_of(pixels: Pixels) -> bytes:
    """One picture as a PNG file: the smallest that says the same, without a library and without metadata."""
    height, width, channels = pixels.shape
    rows = np.zeros((height, 1 + width * channels), dtype=np.uint8)
    rows[:, 1:] = pixels.reshape(height, width * channels)
    head = struct.pack(">IIBBBBB", width, height, _BITS, _COLOUR[channels], 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b""))
    return _SIGNATURE + b"".join(_chunk(kind, data) for kind, data in parts)


# --- private ---------------------------------------------------------------------------------------


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
