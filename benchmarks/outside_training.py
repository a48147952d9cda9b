"""A model as somebody trains it who has never heard of `maintain`: plain torch on a folder of DICOM and a table.

A script of its own, so that nothing of the program can leak into it. It reads `dicom/` and `labels.csv`, trains a small
network, and leaves what a hospital would hand over with it: weights, also those of an earlier pass that never served,
what production answers, who was trained on, how pictures are prepared, and by what it can be trained again.

    python benchmarks/outside_training.py FOLDER OUT --label malignancy
"""

from __future__ import annotations

import argparse
import csv
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pydicom
import torch
from torch import Tensor, nn

#: Passes, cases a batch, peak rate, momentum, decay, largest norm of a gradient: the recipe, as written down too.
EPOCHS, BATCH, PEAK, MOMENTUM, DECAY, CLIP = 15, 64, 0.05, 0.9, 5e-4, 1.0
#: The pass whose weights are kept beside the last: a file that somebody may take for the one that serves.
EARLIER = 12
#: Shares of patients to train on and to select with; the others are held out.
TRAINED_ON, SELECTED_WITH = 6 / 13, 7 / 13
#: How pictures are prepared, in MONAI's names: what `prepared` does.
PREPROCESSING = """\
- ScaleIntensityRange: {a_min: 0, a_max: 255, b_min: -1, b_max: 1}
"""
RECIPE = f"""\
optimiser: sgd-nesterov
learning_rate: {PEAK}
momentum: {MOMENTUM}
weight_decay: {DECAY}
schedule: one-cycle
epochs: {EPOCHS}
batch_size: {BATCH}
clip_norm: {CLIP}
"""


class Classifier(nn.Module):
    """Three strided convolutions and a classifier, wrapped as in many a repository."""

    def __init__(self, side: int, outputs: int) -> None:
        super().__init__()
        self.net = nn.Sequential()
        channels = 3
        for number, (width, kernel) in enumerate(((16, 5), (32, 3), (64, 3)), start=1):
            self.net.add_module(f"conv{number}", nn.Conv2d(channels, width, kernel, stride=2, padding=kernel // 2))
            self.net.add_module(f"norm{number}", nn.BatchNorm2d(width))
            self.net.add_module(f"relu{number}", nn.ReLU())
            channels = width
        self.net.add_module("flatten", nn.Flatten())
        self.net.add_module("fc", nn.Linear(channels * (side // 8) ** 2, 64))
        self.net.add_module("relu", nn.ReLU())
        self.net.add_module("classifier", nn.Linear(64, outputs))

    def forward(self, images: Tensor) -> Tensor:
        """Logits."""
        logits: Tensor = self.net(images)
        return logits


def main() -> None:
    """Train, and leave everything in OUT."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--label", default="malignancy")
    parser.add_argument("--seed", type=int, default=11)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True)
    torch.set_num_threads(1)
    uids, patients, pictures = read_pictures(arguments.folder / "dicom")
    with (arguments.folder / "labels.csv").open(encoding="utf-8") as stream:
        answers = {row["SOPInstanceUID"]: row[arguments.label] for row in csv.DictReader(stream)}
    order = sorted(set(answers.values()))
    labels = torch.tensor([order.index(answers[uid]) for uid in uids])
    roles = share_out(patients, arguments.seed)
    torch.manual_seed(arguments.seed)
    model = Classifier(pictures.shape[-1], len(order))
    learned = torch.tensor([place for place, patient in enumerate(patients) if roles[patient] == "train"])
    train(model, pictures[learned], labels[learned], arguments.out)
    model.eval()
    save(model, arguments.out / "model.pt")
    with torch.no_grad():
        outputs = torch.cat([torch.softmax(model(batch), 1) for batch in torch.split(pictures, 500)])
    write(arguments.out / "outputs.csv", ["SOPInstanceUID", *order], zip_rows(uids, outputs.tolist()))
    members = [[uid, roles[patient]] for uid, patient in zip(uids, patients, strict=True)]
    write(arguments.out / "members.csv", ["SOPInstanceUID", "role"], members)
    (arguments.out / "preprocessing.yaml").write_text(PREPROCESSING, encoding="utf-8")
    (arguments.out / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    print(",".join(order))


def read_pictures(folder: Path) -> tuple[list[str], list[str], Tensor]:
    """SOPInstanceUIDs, PatientIDs, and the pictures as the network reads them: squares of one size, sides of 8 n."""
    files = [pydicom.dcmread(path) for path in sorted(folder.rglob("*")) if path.is_file()]
    pixels = torch.from_numpy(np.stack([file.pixel_array for file in files]))
    uids, patients = [str(file.SOPInstanceUID) for file in files], [str(file.PatientID) for file in files]
    return uids, patients, prepared(pixels)


def prepared(pixels: Tensor) -> Tensor:
    """Channels first, from -1 to 1."""
    return pixels.permute(0, 3, 1, 2).float() / 255 * 2 - 1


def share_out(patients: Sequence[str], seed: int) -> dict[str, str]:
    """Which patients are trained on, selected with and held out."""
    people = sorted(set(patients))
    random.Random(seed).shuffle(people)
    train_to, select_to = int(len(people) * TRAINED_ON), int(len(people) * SELECTED_WITH)
    return {
        person: "train" if place < train_to else "validation" if place < select_to else "holdout"
        for place, person in enumerate(people)
    }


def train(model: nn.Module, pictures: Tensor, labels: Tensor, out: Path) -> None:
    """Passes over what is trained on; the weights of one of them are kept beside."""
    steps = EPOCHS * -(-len(pictures) // BATCH)
    optimiser = torch.optim.SGD(model.parameters(), lr=PEAK, momentum=MOMENTUM, weight_decay=DECAY, nesterov=True)
    rates = torch.optim.lr_scheduler.OneCycleLR(optimiser, PEAK, total_steps=steps, cycle_momentum=False)
    for epoch in range(1, EPOCHS + 1):
        for rows in torch.split(torch.randperm(len(pictures)), BATCH):
            optimiser.zero_grad()
            torch.autograd.backward(nn.functional.cross_entropy(model(pictures[rows]), labels[rows]))
            nn.utils.clip_grad_norm_(model.parameters(), CLIP)
            optimiser.step()
            rates.step()
        if epoch == EARLIER:
            save(model, out / "earlier.pt")


def save(model: nn.Module, path: Path) -> None:
    """The state as a data-parallel training leaves it."""
    torch.save({f"module.{name}": tensor for name, tensor in model.state_dict().items()}, path)


def zip_rows(uids: Sequence[str], outputs: Sequence[Sequence[float]]) -> list[list[str]]:
    """A row a picture."""
    return [[uid, *(f"{value:.6f}" for value in row)] for uid, row in zip(uids, outputs, strict=True)]


def write(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream, lineterminator="\n").writerows([header, *rows])


if __name__ == "__main__":
    main()
