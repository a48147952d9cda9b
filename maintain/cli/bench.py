"""`maintain bench`: the verifier on trial, on problems that it draws itself; needs no workspace."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maintain.cli import console
from maintain.cli.exit_codes import ExitCode, of_outcome
from maintain.cli.interruption import grace
from maintain.cli.options import AsJson

if TYPE_CHECKING:
    from maintain_pipelines.bench import Judged, Tally, Trial

app = typer.Typer()

#: Seed of the first champion; the others follow it.
_FIRST = 1


@app.callback()
def _bench() -> None:
    """Keep `verifier` a command of its own while it is the only one."""


@app.command()
def verifier(
    runs: Annotated[int, typer.Option(min=1, help="Runs of each candidate; three share a champion.")] = 1,
    candidate: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Judge these weights of the bench's network instead.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Try the verifier on impostors that must fail and on honest candidates that must pass.

    Draws a problem that a small network learns by heart, checks that its champion leaks, and lays each candidate
    down in a complete run folder that claims what the candidate is not. One run takes one to two minutes.

    Exits 0 when no impostor passed, 1 when one did, 3 when the champion does not leak enough to show anything.
    With --candidate it exits by the verdict: 0 passed, 1 failed, 3 not evaluated; 2 for a file that is no such
    network (`small-bn`, input 3 x 16 x 16, two outputs).

    \b
    Examples:
      maintain bench verifier
      maintain bench verifier --runs 3 --json
      maintain bench verifier --candidate revised.safetensors
    """
    with grace():
        if candidate is not None:
            _judge(candidate, as_json=as_json)
        else:
            _try(runs, as_json=as_json)


# --- private ---------------------------------------------------------------------------------------


def _try(runs: int, *, as_json: bool) -> None:
    from maintain.imaging import threads
    from maintain_pipelines.bench import Trainings, champions_for, desk_of, separable, trial

    trainings = Trainings()
    console.say("Drawing the problem and training its champion.")
    with threads(1):
        seeds = range(_FIRST, _FIRST + champions_for(runs))
        desks = (desk_of(separable(seed), trainings) for seed in seeds)
        found = trial(desks, runs=runs, progress=lambda done, total: console.progress("judging", done, total))
    console.answer(found.document(), _lines(found), schema="bench-verifier", as_json=as_json)
    if found.fooled:
        raise typer.Exit(ExitCode.REFUSED)


def _judge(path: Path, *, as_json: bool) -> None:
    from maintain.imaging import fill, read_weights, threads
    from maintain_pipelines.bench import Trainings, check_signal, desk_of, judged_state, separable, signal_of

    state = read_weights(path)
    problem = separable(_FIRST)
    fill(problem.blueprint.build(seed=0), state, source=path.name)
    console.say("Training the champion that these weights are held against.")
    with threads(1):
        desk = desk_of(problem, Trainings())
        check_signal(signal_of(desk))
        judged = judged_state(desk, state)
    console.answer(_document(judged), _verdict_lines(judged), schema="bench-candidate", as_json=as_json)
    if code := of_outcome(judged.outcome):
        raise typer.Exit(code)


def _document(judged: Judged) -> dict[str, Any]:
    from maintain import codec

    return {
        "outcome": judged.outcome.value,
        "reason": judged.reason,
        "gates": [codec.encode(result) for result in judged.gates],
    }


def _verdict_lines(judged: Judged) -> list[str]:
    rows = [(result.gate, result.outcome.value, result.reason) for result in judged.gates]
    return [f"{judged.outcome.value.upper()}. {judged.reason}", "", *console.table(("gate", "outcome", "reason"), rows)]


def _lines(found: Trial) -> list[str]:
    signals = ", ".join(f"attack {signal.auc:.2f} and gap {signal.gap:.2f}" for signal in found.signals)
    last = f"Passed: {', '.join(found.fooled)}." if found.fooled else "No impostor passed."
    return [
        f"Champions: {signals}.",
        "",
        *_table("impostor", found.impostors),
        "",
        "Beyond every gate, published and not counted (docs/verifier.md says why):",
        *_table("impostor", found.beyond),
        "",
        *_table("honest", found.honest),
        "",
        last,
    ]


def _table(what: str, rows: tuple[Tally, ...]) -> list[str]:
    header = (what, "runs", "pass", "fail", "not evaluated", "named gate", "failed by it")
    return console.table(
        header,
        [
            (
                row.name,
                row.runs,
                row.passed,
                row.failed,
                row.not_evaluated,
                row.named_gate or "-",
                row.failed_by_named_gate if row.named_gate else "-",
            )
            for row in rows
        ],
    )
