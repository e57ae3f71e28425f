"""A new role as a cell of an experiment: what it reaches when it is taught with few replies."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from .config import read_train_config
from .dataset import Dialogue
from .errors import check
from .evaluate import Scorer, mean_by_role, sample
from .experiment import Cell, Figures, Kind
from .experiment_training import REPLY_TOKENS, opened, taught
from .pack import Pack
from .pcg import Random, shuffled
from .train_command import finished_pack, prepare_data
from .trainee import Trainee
from .trainer import Trainer

# Away from the streams of splits and samples.
_STREAM = 7


def first_replies(dialogues: Sequence[Dialogue], count: int, seed: int) -> list[Dialogue]:
    """So many replies, as dialogues in an order drawn from a seed, the last cut behind the last of them.

    A smaller count gives the beginning of what a larger one gives. Raises `usage` where there are not so many.
    """
    chosen: list[Dialogue] = []
    left = count
    for dialogue in shuffled(list(dialogues), Random(seed, _STREAM)):
        if left == 0:
            break
        spoken = [index for index, turn in enumerate(dialogue.turns) if turn.counts][:left]
        chosen.append(replace(dialogue, turns=dialogue.turns[: spoken[-1] + 1]))
        left -= len(spoken)
    check(left == 0, "usage", f"the new role has {count - left} replies to learn from, expected {count}")
    return chosen


class NewRole(Kind):
    """Teaches each cell's role with so many replies, and measures it at some steps on the way.

    The pack that it starts from is trained on all roles but this one, by the training file `before` of base or variant;
    where that is null, the new role starts from the bare backbone. `stops` are the steps after which `exchanges`
    held-out replies of the new role are measured, and, after the last, `others` of each other role.
    """

    keys = frozenset({"backbone", "data", "exchanges", "others", "stops"})

    def __init__(self, settings: dict[str, Any]) -> None:
        super().__init__(settings)
        named = settings.get("whom") and settings.get("replies") and settings.get("stops")
        check(named, "format-invalid", "an experiment of the kind new-role lacks whom, replies or stops")
        self._backbone, self._dialogues = opened(settings)
        self._packs: dict[str, Pack] = {}

    def measure(self, cell: Cell) -> Figures:
        """Losses of the new role at each stop, the best of them, and what the others lost."""
        assert cell.whom
        assert cell.replies
        own = [one for one in self._dialogues if one.role == cell.whom]
        check(own, "usage", f"the data has no role {cell.whom}")
        settings = dict(cell.config)
        start = self._started(settings.pop("before", None), cell.whom)
        stops: list[int] = self.settings["stops"]
        named = {"role": cell.whom} if start else {}
        sizes = (start.config.rank, start.config.alpha) if start else None
        config = read_train_config({"steps": stops[-1], **named, **settings}, sizes)
        rows = [one for one in own if one.split == "train"]
        trainee, batches = prepare_data(first_replies(rows, cell.replies, config.seed), config, self._backbone, start)
        trainer = Trainer(self._backbone, trainee, config)
        others = [role["name"] for role in trainee.roles if role["name"] != cell.whom]
        count, few = self.settings["exchanges"], self.settings["others"]
        before = self._loss(trainer, trainee, [cell.whom], count)
        lost = {"before": self._loss(trainer, trainee, others, few)} if others else {}
        began, after = time.process_time(), {}
        for step, _ in enumerate(taught(trainer, config, batches), 1):
            if step in stops:
                after[f"{step}"] = self._loss(trainer, trainee, [cell.whom], count)
        best = min(after, key=lambda stop: after[stop])
        if others:
            lost["after"] = self._loss(trainer, trainee, others, few)
        return {
            "before": before,
            "after": after,
            "best": after[best],
            "bestStop": int(best),
            **({"others": lost} if lost else {}),
            "parameters": sum(value.numel() for value in trainer.trained.values()),
            "epochs": batches.epochs,
            "seconds": round(time.process_time() - began),
        }

    def _started(self, settings: dict[str, Any] | None, whom: str) -> Pack | None:
        """The pack of all roles but one, trained once."""
        if settings is None:
            return None
        key = json.dumps([settings, whom], sort_keys=True)
        if key not in self._packs:
            config = read_train_config(settings)
            others = [one for one in self._dialogues if one.role != whom]
            trainee, batches = prepare_data(others, config, self._backbone, None)
            trainer = Trainer(self._backbone, trainee, config)
            for _ in taught(trainer, config, batches):
                pass
            self._packs[key] = finished_pack(trainee, trainer, self._backbone, None, {})
        return self._packs[key]

    def _loss(self, trainer: Trainer, trainee: Trainee, names: Sequence[str], exchanges: int) -> float:
        """The mean loss of so many held-out replies of each role under its own matrices, nats a token."""
        scorer = Scorer(self._backbone, trainee.config, trainer.tensors(), REPLY_TOKENS)
        held_out = [one for one in self._dialogues if one.split == "test"]
        losses = []
        for name in names:
            fitted = [scorer.fit(one, None) for one in sample(held_out, [name], exchanges, 42)]
            rows = scorer.rows([one for one in fitted if one], lambda _: None)
            losses += mean_by_role(scorer.score(rows, scorer.factors(trainee.role_ids[name])), [name])
        return sum(losses) / len(losses)
