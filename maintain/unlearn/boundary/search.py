"""The boundary search: for each case the nearest other answer of a frozen network, and how near it is.

Ascent on the loss in a ball of pixels around the image (perturbed sign gradient, Nahass et al. 2025; with
one step and no extra term FGSM, as in Boundary Unlearning, Chen et al. 2023). The perturbed image is never
trained on: what is kept is the label, the outputs and the radius where the network changed its mind.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from maintain.errors import InputError
from maintain.imaging.batches import batch_bounds
from maintain.imaging.compute import deterministic
from maintain.imaging.transforms import Chain
from maintain.unlearn.boundary.labels import Boundary, joined, masked
from maintain.unlearn.boundary.noise import normals
from maintain.unlearn.boundary.options import BoundaryOptions, StepRule
from maintain.unlearn.boundary.reference import REFERENCE_BATCH, reference_boundary
from maintain.unlearn.boundary.steps import ball, change_of, climbed, finite, finite_outputs, on_grid

#: Cases searched at a time; memory is then bounded, and on two cores larger gains nothing.
SEARCH_BATCH = 128


def search_boundary(
    network: nn.Module,
    chain: Chain,
    images: Tensor,
    labels: Tensor,
    options: BoundaryOptions,
    *,
    seed: int,
    first_place: int = 0,
    batch_size: int = SEARCH_BATCH,
) -> Boundary:
    """The boundary of each of these stored images (uint8 [N, H, W, C]) in the network as it stands.

    Noise belongs to `seed` and the place of a case, counted from `first_place`, so neither the batch nor the
    cases beside it change what is found, up to the rounding of the network itself.

    Raises:
        InputError: No images, labels that do not fit them, or a network that knows one class only.
        NotEvaluatedError: Outputs or gradients are not finite numbers.
    """
    _check(images, labels, seed, first_place)
    places = torch.arange(first_place, first_place + len(labels), device=images.device)
    parts = []
    with frozen(network), deterministic(images.device.type):
        for start, end in batch_bounds(len(labels), REFERENCE_BATCH if options.replicate else batch_size):
            part = images[start:end], labels[start:end], places[start:end]
            if options.replicate:
                parts.append(reference_boundary(network, chain, *part, options, seed=seed))
            else:
                parts.append(_Walk(network, chain, *part, options, seed).searched())
    return joined(parts)


@contextmanager
def frozen(network: nn.Module) -> Iterator[None]:
    """In evaluation mode and without gradients of its weights; afterwards everything as it was."""
    modes = [(layer, layer.training) for layer in network.modules()]
    wanted = [(weight, weight.requires_grad) for weight in network.parameters()]
    network.eval().requires_grad_(False)
    try:
        with torch.enable_grad():
            yield
    finally:
        for layer, training in modes:
            layer.training = training
        for weight, needed in wanted:
            weight.requires_grad_(needed)


# --- private ---------------------------------------------------------------------------------------

#: The noise is drawn with 64-bit integers that have a sign.
_LARGEST_SEED = (1 << 63) - 1


class _Walk:
    """One batch on its way: `far` is where each case stands, `near` where it stood before its last `change`."""

    def __init__(
        self,
        network: nn.Module,
        chain: Chain,
        images: Tensor,
        labels: Tensor,
        places: Tensor,
        options: BoundaryOptions,
        seed: int,
    ) -> None:
        self._network, self._chain, self._options, self._seed = network, chain, options, seed
        self._labels, self._places = labels, places
        self._start = chain.pixels(images)
        self._near, self._far, self._change = self._start.clone(), self._start.clone(), torch.zeros_like(self._start)
        self._crossed = torch.zeros_like(labels, dtype=torch.bool)
        self._steps = torch.full_like(labels, options.steps)
        self._logits = torch.empty(0)

    def searched(self) -> Boundary:
        """Walk until all have crossed or the steps are spent, then close in on the crossings."""
        active = torch.arange(len(self._labels), device=self._labels.device)
        for step in range(1, self._options.steps + 1):
            outputs, gradient = self._climb(self._far[active], self._labels[active])
            going = ~self._noted(active, outputs, step - 1)
            active = active[going]
            if not len(active):
                break
            self._near[active], self._change[active] = self._far[active], self._step(active, gradient[going], step)
            self._far[active] = self._kept(self._near[active] + self._change[active], active)
        else:
            self._noted(active, self._outputs(self._far[active]), self._options.steps)
        self._close_in()
        return self._found()

    def _noted(self, active: Tensor, outputs: Tensor, steps: int) -> Tensor:
        """Keep what was answered after so many steps; which of them have crossed."""
        if not len(self._logits):
            self._logits = outputs.new_empty(len(self._labels), outputs.shape[1])
        self._logits[active] = outputs
        flipped = outputs.argmax(dim=1) != self._labels[active]
        self._crossed[active] = flipped
        self._steps[active[flipped]] = steps
        return flipped

    @torch.no_grad()
    def _outputs(self, points: Tensor) -> Tensor:
        return finite_outputs(self._network(self._chain.standardised(points)))

    def _climb(self, points: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Outputs, and the gradient of each sample's own loss by its pixels: a sum, so no sample sees another."""
        points = points.requires_grad_()
        outputs = finite_outputs(self._network(self._chain.standardised(points)))
        if not len(self._logits):
            _check_labels(labels, outputs.shape[1])
        (gradient,) = torch.autograd.grad(climbed(outputs, labels, self._options.rule).sum(), points)
        return outputs.detach(), finite(gradient, "gradients")

    def _step(self, active: Tensor, gradient: Tensor, step: int) -> Tensor:
        """How far the active cases move, before they are kept in the ball."""
        point, noise = self._far[active], None
        if self._options.noise or self._options.rule is StepRule.LANGEVIN:
            noise = normals(self._seed, self._places[active], step, point.shape[1:])
        return change_of(gradient, point - self._start[active], noise, self._options, step)

    def _kept(self, points: Tensor, rows: Tensor) -> Tensor:
        """Projected to the ball and to [0, 1], and to the grid of stored pixels where that is asked for."""
        settled = on_grid(points) if self._options.discretise else points
        low, high = ball(self._start[rows], self._options)
        return torch.minimum(torch.maximum(settled, low), high)

    def _close_in(self) -> None:
        """Find how much of the step that crossed was needed: halved between the last answer and the first other."""
        rows = torch.nonzero(self._crossed & (self._steps > 0))[:, 0]
        shares = self._change.new_ones(len(rows), 1, 1, 1)
        for halving in range(1, self._options.bisections + 1 if len(rows) else 1):
            tried = shares - 0.5**halving
            middle = self._kept(self._near[rows] + tried * self._change[rows], rows)
            outputs = self._outputs(middle)
            across = outputs.argmax(dim=1) != self._labels[rows]
            self._far[rows[across]], self._logits[rows[across]] = middle[across], outputs[across]
            shares[across] = tried[across]

    def _found(self) -> Boundary:
        change = (self._far - self._start).abs().flatten(1).amax(dim=1)
        return Boundary(
            truth=self._labels,
            labels=masked(self._logits, self._labels).argmax(dim=1),
            crossed=self._crossed,
            radius=torch.where(self._crossed, change, torch.nan),
            logits=self._logits,
            steps=self._steps,
        )


def _check(images: Tensor, labels: Tensor, seed: int, first_place: int) -> None:
    if not len(labels) or labels.ndim != 1 or labels.dtype is not torch.int64 or len(images) != len(labels):
        raise InputError(
            f"Labels of shape {tuple(labels.shape)} and type {labels.dtype} do not fit {len(images)} images.",
            remedy="Give one int64 label for each image, and at least one image.",
        )
    if not 0 <= seed <= _LARGEST_SEED or first_place < 0:
        raise InputError(
            f"A boundary search cannot have the seed {seed} and the first place {first_place}.",
            remedy="Both are zero or more, and a seed fits 63 bits.",
        )


def _check_labels(labels: Tensor, classes: int) -> None:
    if not 0 <= int(labels.min()) <= int(labels.max()) < classes:
        raise InputError(
            f"A label is not among the {classes} classes of the network.", remedy="Search with the model's own labels."
        )
