"""A model as somebody trains it who has never heard of `maintain`: plain torch on DICOM and a CSV.

Run as a script, so that nothing of the program can leak into it: it reads a hospital's folder, trains a small
network in its own words, and leaves weights, outputs, members and a recipe as a hospital would export them.
"""

from __future__ import annotations

import csv
import random
import sys
from pathlib import Path

import numpy as np
import pydicom
import torch
from numpy.typing import NDArray
from torch import nn

LABELS_COLUMN = "diagnosis"
EPOCHS = 6
BATCH = 32
SIDE = 32
MEAN, SPREAD = (0.45, 0.4, 0.35), (0.25, 0.25, 0.3)


class Classifier(nn.Module):
    """Three strided convolutions and a classifier, wrapped as in many a repository."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.net = nn.Sequential()
        channels = 3
        for number, (width, kernel) in enumerate(((16, 5), (32, 3), (64, 3)), start=1):
            self.net.add_module(f"conv{number}", nn.Conv2d(channels, width, kernel, stride=2, padding=kernel // 2))
            self.net.add_module(f"norm{number}", nn.BatchNorm2d(width))
            self.net.add_module(f"relu{number}", nn.ReLU())
            channels = width
        self.net.add_module("flatten", nn.Flatten())
        self.net.add_module("fc", nn.Linear(channels * (SIDE // 8) ** 2, 64))
        self.net.add_module("relu", nn.ReLU())
        self.net.add_module("classifier", nn.Linear(64, outputs))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits."""
        logits: torch.Tensor = self.net(images)
        return logits


def main(hospital: Path, out: Path) -> None:
    """Train on three fifths of the patients, and export everything."""
    out.mkdir(parents=True, exist_ok=True)
    with (hospital / "labels.csv").open(encoding="utf-8") as stream:
        labels = {row["SOPInstanceUID"]: row[LABELS_COLUMN] for row in csv.DictReader(stream)}
    pictures, patients = {}, {}
    for path in sorted((hospital / "dicom").rglob("*")):
        if path.is_file() and (data := pydicom.dcmread(path, force=True)).get("SOPInstanceUID") in labels:
            uid = str(data.SOPInstanceUID)
            pictures[uid], patients[uid] = data.pixel_array, str(data.PatientID)
    order = sorted(set(labels.values()))
    people = sorted(set(patients.values()))
    random.Random(5).shuffle(people)
    cut = len(people) * 3 // 5, len(people) * 7 // 10
    role_of = {
        person: "train" if place < cut[0] else "validation" if place < cut[1] else "holdout"
        for place, person in enumerate(people)
    }
    torch.manual_seed(11)
    model = Classifier(len(order))
    learned = [uid for uid in sorted(pictures) if role_of[patients[uid]] == "train"]
    _train(model, torch.stack([_seen(pictures[uid]) for uid in learned]), [order.index(labels[u]) for u in learned])
    model.eval()
    torch.save({f"module.{name}": tensor for name, tensor in model.state_dict().items()}, out / "model.pt")
    with torch.no_grad():
        outputs = {uid: torch.softmax(model(_seen(picture)[None]), 1)[0] for uid, picture in pictures.items()}
    _write(out / "outputs.csv", ["SOPInstanceUID", *order], [[u, *map(float, o)] for u, o in sorted(outputs.items())])
    _write(out / "members.csv", ["SOPInstanceUID", "role"], [[u, role_of[patients[u]]] for u in sorted(pictures)])
    (out / "labels.txt").write_text(",".join(order), encoding="utf-8")
    (out / "arrays").mkdir(exist_ok=True)
    for uid, picture in pictures.items():
        np.save(out / "arrays" / f"{uid}.npy", _seen(picture).numpy())


# --- private ---------------------------------------------------------------------------------------


def _seen(picture: NDArray[np.uint8]) -> torch.Tensor:
    """What the network reads: channels first, normalised by the figures of the training set."""
    values = torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1).float() / 255
    values = torch.nn.functional.interpolate(values[None], (SIDE, SIDE), mode="bilinear", align_corners=False)[0]
    return (values - torch.tensor(MEAN)[:, None, None]) / torch.tensor(SPREAD)[:, None, None]


def _train(model: nn.Module, images: torch.Tensor, labels: list[int]) -> None:
    targets = torch.tensor(labels)
    optimiser = torch.optim.Adam(model.parameters(), lr=2e-3)
    for _ in range(EPOCHS):
        shuffled = torch.randperm(len(images))
        for start in range(0, len(images), BATCH):
            rows = shuffled[start : start + BATCH]
            optimiser.zero_grad()
            torch.autograd.backward(nn.functional.cross_entropy(model(images[rows]), targets[rows]))
            optimiser.step()


def _write(path: Path, header: list[str], rows: list[list[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([header, *rows])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
