"""A training run: step by step, with checkpoints, so that a stopped run goes on as if it had never stopped."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from .batches import BatchSource
from .config import TrainConfig
from .errors import HycoraError, check
from .pack import replace_file
from .schedule import contrast_weight
from .trainer import StepReport, Trainer

# So many steps in a row without a finite gradient, and the run goes back.
_MOST_SKIPPED = 3
# Below this share of the rate, going back has not helped and will not.
_LEAST_RATE = 1 / 64
# So many steps in a row with the same sign of a lost run, and it is none of chance.
_IN_A_ROW = 3
# A loss is far above its start by this factor and at least so many nats.
_FAR, _FAR_NATS = 1.5, 1.0


@dataclass
class Progress:
    """The run's memory between steps; `facts` are what the pack will say of it, by the names there."""

    step: int = 0
    rate_factor: float = 1.0
    start_loss: float | None = None
    """On the held-out rows, before the first step."""
    best_loss: float | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    def count(self, report: StepReport) -> None:
        """Goes on by a step that was taken."""
        self.step += 1
        if report.is_skipped:
            return
        entropy, before = report.cross_entropy, self.facts
        first, tokens = before.get("firstStep", entropy), before.get("replyTokens", 0)
        self.facts = {"replyTokens": tokens + report.reply_tokens, "firstStep": first, "lastStep": entropy}


class Watch:
    """Watches a run for the signs that it is lost."""

    def __init__(self) -> None:
        self._still = self._high = 0
        self._is_told = False

    def look(self, step: int, report: StepReport, first: float | None) -> str | None:
        """A sentence, once, where the loss lies far above its start.

        Raises `training-diverged` where nothing is learnt any more.
        """
        if report.is_skipped or first is None:
            return None
        loss = report.cross_entropy
        self._still = self._still + 1 if report.gradient_norm == 0 and report.learning_rate > 0 else 0
        fact = (
            f"from step {step - _IN_A_ROW + 1} on the gradient is zero, at a loss of {loss:.2f}: "
            "the run is lost; begin anew with a smaller learning rate"
        )
        check(self._still < _IN_A_ROW, "training-diverged", fact)
        is_far = loss > _FAR * first and loss > first + _FAR_NATS
        self._high = self._high + 1 if is_far else 0
        if self._high < _IN_A_ROW or self._is_told:
            return None
        self._is_told = True
        return (
            f"The loss is {loss:.2f}, far above the {first:.2f} it began with: the run is lost where it does not come "
            "down again. Begin anew with a smaller learning rate."
        )


def run_name(*parts: object) -> str:
    """A short name of everything that decides a run."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:32]


def write_checkpoint(path: Path, run: str, progress: Progress, state: dict[str, Tensor]) -> None:
    """Values, moments and progress in one file, replaced at once."""
    metadata = {"format": "hycora-scale-checkpoint-1", "run": run, "progress": json.dumps(asdict(progress))}
    replace_file(path, save({name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}, metadata))


def read_checkpoint(path: Path, run: str) -> tuple[Progress, dict[str, Tensor]]:
    """Reads a checkpoint back; raises `storage-corrupt`, or `usage` where it is another run's."""
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            progress = Progress(**json.loads(metadata["progress"]))
            state = {name: file.get_tensor(name) for name in file.keys()}
    except Exception as error:
        raise HycoraError("storage-corrupt", f"{path.name} is damaged or of another version") from error
    fact = f"{path.name} belongs to another run: data, configuration, start pack or backbone differ"
    check(metadata.get("run") == run, "usage", fact)
    return progress, state


@dataclass
class Run:
    """A trainer, its batches and where its checkpoint lies; `is_main` is the one process that writes."""

    trainer: Trainer
    config: TrainConfig
    batches: BatchSource
    name: str
    checkpoint: Path
    is_main: bool = True
    progress: Progress = field(default_factory=Progress)
    """How far the run came, once its events are through."""
    _kept: tuple[Progress, dict[str, Tensor]] = field(init=False)

    def events(self, *, resume: bool, is_stopped: Callable[[], bool] = lambda: False) -> Iterator[dict[str, Any]]:
        """Trains until the last step or until it is stopped, and saves then.

        Yields one line with `crossEntropy` per step, and others without that key.
        """
        progress = Progress()
        if resume:
            progress, state = read_checkpoint(self.checkpoint, self.name)
            self.trainer.load_state(state)
        self._keep(progress)
        watch = Watch()
        if progress.step == 0 and self.batches.held_out:
            progress.start_loss = self.trainer.measure(self.batches.held_out)
            yield {"step": 0, "heldOut": progress.start_loss, "best": True}
        skipped = 0
        while progress.step < self.config.steps:
            if is_stopped():
                self.save(progress)
                yield {"note": f"Stopped after step {progress.step} of {self.config.steps}; --resume goes on."}
                break
            start = time.perf_counter()
            step, epochs = progress.step, self.batches.epochs
            weight = contrast_weight(self.config.contrast, step / self.config.steps * epochs, epochs)
            report = self.trainer.step(step, self.batches.at(step), weight, progress.rate_factor)
            progress.count(report)
            gap = {"gap": report.gap} if self.config.gap.weight else {}
            yield {**_line(progress.step, report, time.perf_counter() - start), **gap}
            note = watch.look(progress.step, report, progress.facts.get("firstStep"))
            if note:
                yield {"note": note}
            skipped = skipped + 1 if report.is_skipped else 0
            if skipped >= _MOST_SKIPPED:
                progress, skipped = self._roll_back(progress), 0
                fact = f"back to step {progress.step}, at half the learning rate."
                yield {"note": f"Three steps in a row had no finite gradient: {fact}"}
            else:
                yield from self._close(progress)
        start, best = progress.start_loss, progress.best_loss
        if start is not None and best is not None and best >= start:
            fact = f"{start:.2f} before the first, at best {best:.2f}."
            yield {"note": f"On the lines held out no step is better than the start: {fact}"}
        self.progress = progress

    def _close(self, progress: Progress) -> Iterator[dict[str, Any]]:
        """Measures the held-out rows, at least once an epoch, and saves where it is time for a checkpoint."""
        step, config = progress.step, self.config
        is_saved = step % config.checkpointEvery == 0 or step == config.steps
        per_look = max(1, min(config.checkpointEvery, int(config.steps / self.batches.epochs)))
        if self.batches.held_out and (is_saved or step % per_look == 0):
            loss, before = self.trainer.measure(self.batches.held_out), (progress.start_loss, progress.best_loss)
            best = all(other is None or loss < other for other in before)
            progress.best_loss = loss if progress.best_loss is None else min(loss, progress.best_loss)
            progress.facts = {**progress.facts, "heldOut": loss}
            yield {"step": step, "heldOut": loss, "best": best}
        if is_saved:
            self.save(progress)

    def save(self, progress: Progress) -> None:
        """Writes the checkpoint, on the main process."""
        self._keep(progress)
        if not self.is_main:
            return
        try:
            write_checkpoint(self.checkpoint, self.name, progress, self.trainer.state())
        except OSError as error:
            self.checkpoint.with_name(self.checkpoint.name + ".part").unlink(missing_ok=True)
            fact = f"the checkpoint of step {progress.step} cannot be written: {error}; the run goes on without"
            print(f"warning: {fact}", file=sys.stderr)

    def _keep(self, progress: Progress) -> None:
        """Remembers what three skipped steps go back to; before the first checkpoint, the beginning."""
        state = {name: tensor.to("cpu", copy=True) for name, tensor in self.trainer.state().items()}
        self._kept = replace(progress), state

    def _roll_back(self, progress: Progress) -> Progress:
        """The last checkpoint, or the beginning, with half the rate."""
        kept, state = self._kept
        rate_factor = progress.rate_factor / 2
        fact = f"from step {kept.step} on the gradients are not finite, however small the learning rate"
        check(rate_factor >= _LEAST_RATE, "training-diverged", fact)
        self.trainer.load_state(state)
        return replace(kept, rate_factor=rate_factor)


def _line(step: int, report: StepReport, seconds: float) -> dict[str, Any]:
    skipped = {"skipped": True} if report.is_skipped else {}
    return {
        "step": step,
        "loss": report.loss,
        "crossEntropy": report.cross_entropy,
        "contrast": report.contrast,
        "lambda": report.weight,
        "learningRate": report.learning_rate,
        "gradientNorm": report.gradient_norm,
        "tokensPerSecond": report.tokens / seconds,
        **skipped,
    }
