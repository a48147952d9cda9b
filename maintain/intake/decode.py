"""From a DICOM header and its pixel element to uint8 (height, width, channels)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from pydicom.dataset import Dataset
from pydicom.pixels.processing import convert_color_space

from maintain.arrays import Pixels
from maintain.intake.reading import RejectionReason

#: Photometric interpretations that are read, with their samples per pixel (PS3.3 C.7.6.3.1.2).
SAMPLES: Mapping[str, int] = {"MONOCHROME2": 1, "RGB": 3, "YBR_FULL": 3}

#: Header facts of unsigned 8-bit pixels.
EIGHT_BIT: Mapping[str, int] = {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7, "PixelRepresentation": 0}


def decode_pixels(header: Dataset) -> Pixels | RejectionReason:
    """The picture of an uncompressed single-frame image, or why there is none.

    Grey stays one channel; full YBR becomes RGB (PS3.3 C.7.6.3.1.2). Everything else is refused, not guessed.
    """
    if "PixelData" not in header:
        return RejectionReason.NO_PIXELS
    photometric = str(header.get("PhotometricInterpretation", ""))
    samples = SAMPLES.get(photometric)
    rows, columns = _number(header, "Rows"), _number(header, "Columns")
    if samples is None or samples != _number(header, "SamplesPerPixel") or rows < 1 or columns < 1:
        return RejectionReason.UNSUPPORTED_PIXELS
    if any(_number(header, keyword) != value for keyword, value in EIGHT_BIT.items()):
        return RejectionReason.UNSUPPORTED_PIXELS
    data, size = header.PixelData or b"", rows * columns * samples
    if len(data) < size:
        return RejectionReason.TRUNCATED if data else RejectionReason.NO_PIXELS
    if len(data) > size + size % 2:
        return RejectionReason.UNSUPPORTED_PIXELS
    flat = np.frombuffer(data, dtype=np.uint8, count=size)
    picture = _arranged(flat, rows, columns, samples, planar=_number(header, "PlanarConfiguration") == 1)
    if photometric == "YBR_FULL":
        picture = convert_color_space(picture, "YBR_FULL", "RGB").astype(np.uint8)
    return np.ascontiguousarray(picture)


# --- private ---------------------------------------------------------------------------------------


def _arranged(flat: Pixels, rows: int, columns: int, samples: int, *, planar: bool) -> Pixels:
    if planar and samples > 1:
        return flat.reshape(samples, rows, columns).transpose(1, 2, 0)
    return flat.reshape(rows, columns, samples)


def _number(header: Dataset, keyword: str) -> int:
    """A whole number of the header; -1 when it is missing or several."""
    value = header.get(keyword)
    return value if isinstance(value, int) else -1
