"""A pack in training: steps over micro-batches, on one process or many."""

from __future__ import annotations

import math
import re
from collections.abc import Container
from dataclasses import dataclass

import torch
import torch.distributed as distributed
from torch import Tensor

from .backbone import Backbone
from .batches import Batch
from .config import TrainConfig
from .gap import Rivals, draw_rivals, gap_loss, mean_by_row, with_rivals
from .hypernetwork import EVEN, Factors, generate
from .losses import contrast, token_losses
from .schedule import learning_rate_share
from .trainee import Trainee

# Tokens of a part of a micro-batch that runs at a time; rows are sorted by length, so that little is padding.
_CHUNK_TOKENS = 1024
_STORED_B = re.compile(r"\.lora_B(_table)?$")
_HEADS = re.compile(r"^(hidden_to_role_emb_layer|role_emb_to_role_emb_layer)\.")


@dataclass(frozen=True)
class StepReport:
    """What one optimiser step did; losses are of the whole (global) batch, `contrast` and `gap` unweighted."""

    loss: float
    cross_entropy: float
    contrast: float
    gap: float
    weight: float
    learning_rate: float
    gradient_norm: float
    tokens: int
    reply_tokens: int
    is_skipped: bool


@dataclass(frozen=True)
class _Company:
    """Who plays in a step: the tensors, the ids of its roles in ascending order, and the matrices of those."""

    tensors: dict[str, Tensor]
    roles: Tensor
    leaves: Factors


@dataclass(frozen=True)
class _Shares:
    """What counts how much in a step: a reply token, a micro-batch, the contrastive loss."""

    token: float
    batch: float
    contrast: float


class Trainer:
    """Parameters, their way through the frozen backbone and back, and AdamW.

    The adapter is whole on every process; each runs its share of the rows, and gradients are summed over processes.
    What only experiments ask for are `vector_rate`, by which the rate of role vectors is multiplied, and `emphasis`, by
    which generators learn what roles differ by more or less than what they have in common.
    """

    vector_rate = 1.0
    emphasis = EVEN

    def __init__(self, backbone: Backbone, trainee: Trainee, config: TrainConfig) -> None:
        self.backbone, self.trainee, self.config = backbone, trainee, config
        backbone.adaptable.stage.scale = trainee.config.scale
        precision = torch.float64 if backbone.dtype == torch.float64 else torch.float32
        self.values = {name: t.to(backbone.device, precision).clone() for name, t in trainee.tensors.items()}
        self.trained = self._trained()
        self.moments = {name: (torch.zeros_like(p), torch.zeros_like(p)) for name, p in self.trained.items()}

    def _trained(self) -> dict[str, Tensor]:
        """Leaves that learn, by name; a new role that is fitted alone is a row of its own."""
        only, uses_heads = self.trainee.only_role, self.config.contrast.form != "off"
        if only is not None:
            row = self.values["roles_emb.weight"][only : only + 1].clone()
            return {"roles_emb.weight": row.requires_grad_()}
        uses_table = uses_heads or self.trainee.config.hypernetwork is not None
        names = [
            name
            for name in self.values
            if (uses_heads if _HEADS.search(name) else name != "roles_emb.weight" or uses_table)
        ]
        return {name: self.values[name].requires_grad_() for name in names}

    def _current(self) -> dict[str, Tensor]:
        """The tensors by the pack's names, as the step differentiates them."""
        only = self.trainee.only_role
        if only is None:
            return self.values
        table = self.values["roles_emb.weight"]
        joined = torch.cat([table[:only], self.trained["roles_emb.weight"], table[only + 1 :]])
        return {**self.values, "roles_emb.weight": joined}

    def tensors(self) -> dict[str, Tensor]:
        """The trained tensors by the pack's names."""
        return {name: tensor.detach() for name, tensor in self._current().items()}

    def step(self, step: int, batches: list[Batch], weight: float, rate_factor: float = 1.0) -> StepReport:
        """One optimiser step; cross-entropy is the mean over the reply tokens of all micro-batches."""
        config = self.config
        cross_entropy, contrastive, gap = self.gradients(step, batches, weight)
        gradients = [parameter.grad for parameter in self.trained.values()]
        norm = math.sqrt(sum(float(g.double().square().sum()) for g in gradients if g is not None))
        share = learning_rate_share(config, step) * rate_factor
        loss = cross_entropy + weight * contrastive + config.gap.weight * gap
        is_skipped = not (math.isfinite(norm) and math.isfinite(loss))
        if not is_skipped:
            self._update(step + 1, share, norm)
        tokens = sum(int(batch.lengths.sum()) for batch in batches)
        rate = config.learningRate * share
        replies = sum(batch.reply_tokens for batch in batches)
        return StepReport(loss, cross_entropy, contrastive, gap, weight, rate, norm, tokens, replies, is_skipped)

    def gradients(self, step: int, batches: list[Batch], weight: float) -> tuple[float, float, float]:
        """Leaves the step's gradients in the trained parameters; returns cross-entropy, contrastive loss and gap."""
        for parameter in self.trained.values():
            parameter.grad = torch.zeros_like(parameter)
        reply_tokens = sum(batch.reply_tokens for batch in batches)
        sums = torch.zeros(3, dtype=torch.float64)
        current = self._current()
        rivals = [
            draw_rivals(self.config.gap, batch.roles.tolist(), len(self.trainee.roles), self.config.seed, micro)
            for micro, batch in enumerate(batches, step * len(batches))
        ]
        others = torch.tensor([role for own in rivals for each in own.candidates for role in each], dtype=torch.long)
        roles = torch.cat([*(batch.roles for batch in batches), others]).unique()
        factors = generate(self.trainee.config, current, roles.to(self.backbone.device), self.emphasis)
        company = _Company(current, roles, factors.leaves())
        for micro, batch in enumerate(batches):
            torch.manual_seed((self.config.seed * 1_000_003 + step * len(batches) + micro) * 64 + _rank())
            sums += self._run(company, batch, rivals[micro], _Shares(1 / reply_tokens, 1 / len(batches), weight))
        # The way from the matrices back to the parameters is gone once, after all micro-batches.
        self._backward(factors, company.leaves)
        self._sum_over_processes(sums)
        return float(sums[0]), float(sums[1]), float(sums[2])

    def _run(self, company: _Company, batch: Batch, rivals: Rivals, shares: _Shares) -> Tensor:
        """Forward and backward of a micro-batch's rows on this process → [cross-entropy, contrast, gap], float64."""
        losses = torch.zeros(3, dtype=torch.float64)
        form, gap = self.config.contrast.form, self.config.gap
        chosen = self._hardest(company, batch, rivals)
        for indices in self._chunks(batch, chosen):
            part = batch.rows(indices)
            paired = [place for place, row in enumerate(indices) if row in chosen]
            read = with_rivals(part, paired, [chosen[indices[place]] for place in paired])
            hidden = self._hidden(company, read, self.config.dropout)
            each, rows = self._token_losses(hidden, read)
            entropy = each[rows < len(indices)].sum() * shares.token
            losses[0] += entropy.item()
            total = entropy
            if paired:
                means = mean_by_row(each, rows, len(read.roles))
                distance = gap_loss(means[paired], means[len(indices) :], gap.margin) * (shares.batch / len(chosen))
                losses[2] += distance.item()
                total = total + gap.weight * distance
            if form != "off":
                apart = self._contrast(company.tensors, hidden, part, batch) * (shares.batch / len(batch.roles))
                losses[1] += apart.item()
                total = total + shares.contrast * apart
            total.backward(retain_graph=self.trainee.only_role is not None)
            self.backbone.adaptable.stage.clear()
        return losses

    def _hidden(self, company: _Company, batch: Batch, dropout: float = 0.0) -> Tensor:
        device = self.backbone.device
        slots = torch.searchsorted(company.roles, batch.roles).to(device)
        return self.backbone.hidden(batch.ids.to(device), company.leaves, slots, dropout)

    @torch.no_grad()
    def _hardest(self, company: _Company, batch: Batch, rivals: Rivals) -> dict[int, int]:
        """Of each row that takes part: the rival under whose adapter its reply is likeliest."""
        if not rivals.candidates or len(rivals.candidates[0]) == 1:
            return {row: role for row, (role,) in enumerate(rivals.candidates)}
        part = batch.rows(range(len(rivals.candidates)))
        columns = []
        for roles in zip(*rivals.candidates):
            read = Batch(part.ids, part.replies, part.anchors, torch.tensor(roles))
            means = mean_by_row(*self._token_losses(self._hidden(company, read), read), len(roles))
            columns.append(means)
        best = torch.stack(columns).argmin(dim=0).tolist()
        return {row: each[place] for row, (each, place) in enumerate(zip(rivals.candidates, best))}

    def _backward(self, factors: Factors, leaves: Factors) -> None:
        pairs = [
            (made, leaf.grad)
            for made, leaf in zip(factors.all(), leaves.all())
            if made.requires_grad and leaf.grad is not None
        ]
        if pairs:
            torch.autograd.backward([made for made, _ in pairs], [gradient for _, gradient in pairs])

    def _chunks(self, batch: Batch, paired: Container[int]) -> list[list[int]]:
        """This process's rows, sorted by length, in parts; on several processes one part, so that they keep in step.

        Rows that are paired are read twice.
        """
        world, rank = _world(), _rank()
        lengths = batch.lengths.tolist()
        mine = sorted(range(rank, len(lengths), world), key=lambda row: -lengths[row])
        if world > 1:
            return [mine]
        chunks: list[list[int]] = []
        read = 0
        for row in mine:
            times = 2 if row in paired else 1
            width = lengths[chunks[-1][0]] if chunks else 0
            if chunks and width * (read + times) <= _CHUNK_TOKENS:
                chunks[-1].append(row)
                read += times
            else:
                chunks.append([row])
                read = times
        return chunks

    def _token_losses(self, hidden: Tensor, part: Batch) -> tuple[Tensor, Tensor]:
        """The cross-entropy of the part's reply tokens, each predicted by the position before, and the row of each."""
        wanted = part.replies.clone()
        wanted[:, 0] = False
        rows, columns = wanted.nonzero(as_tuple=True)
        device = hidden.device
        before = hidden[rows.to(device), (columns - 1).to(device)]
        return token_losses(before, self.backbone.head, part.ids[rows, columns].to(device)), rows.to(device)

    def _contrast(self, current: dict[str, Tensor], hidden: Tensor, part: Batch, whole: Batch) -> Tensor:
        device = hidden.device
        rows = torch.arange(len(part.roles), device=device)
        pooled = hidden[rows, part.anchors.to(device)].to(current["roles_emb.weight"].dtype)
        own, all_roles = part.roles.to(device), whole.roles.to(device)
        return contrast(current, pooled, own, all_roles, self.config.contrast.form)

    def _sum_over_processes(self, sums: Tensor) -> None:
        if _world() == 1:
            return
        gradients = [parameter.grad for parameter in self.trained.values()]
        flat = torch.cat([g.reshape(-1) for g in gradients if g is not None])
        distributed.all_reduce(flat)
        for gradient, own in zip(gradients, flat.split([g.numel() for g in gradients if g is not None])):
            if gradient is not None:
                gradient.copy_(own.reshape(gradient.shape))
        shared = sums.to(flat.device, flat.dtype)
        distributed.all_reduce(shared)
        sums.copy_(shared)

    @torch.no_grad()
    def _update(self, step: int, share: float, norm: float) -> None:
        """AdamW with decoupled weight decay on clipped gradients; stored B has a rate of its own."""
        config = self.config
        first, second = config.betas
        factor = min(1.0, config.clip / (norm + 1e-6)) if config.clip > 0 else 1.0
        bases = {name: config.learningRateB if _STORED_B.search(name) else config.learningRate for name in self.trained}
        bases |= {name: rate * self.vector_rate for name, rate in bases.items() if name == "roles_emb.weight"}
        for base in dict.fromkeys(bases.values()):
            names = [name for name in self.trained if bases[name] == base]
            rate = base * share
            values = [self.trained[name] for name in names]
            gradients = [value.grad for value in values]
            means, squares = ([self.moments[name][side] for name in names] for side in (0, 1))
            torch._foreach_mul_(gradients, factor)
            torch._foreach_lerp_(means, gradients, 1 - first)
            torch._foreach_mul_(squares, second)
            torch._foreach_addcmul_(squares, gradients, gradients, 1 - second)
            steps = torch._foreach_div(squares, 1 - second**step)
            torch._foreach_sqrt_(steps)
            torch._foreach_add_(steps, config.epsilon)
            torch._foreach_mul_(values, 1 - rate * config.weightDecay)
            torch._foreach_addcdiv_(values, means, steps, -rate / (1 - first**step))

    @torch.no_grad()
    def measure(self, batches: list[Batch]) -> float:
        """The mean cross-entropy over the reply tokens of batches, without learning from them."""
        total, tokens = 0.0, 0
        current = self._current()
        for batch in batches:
            roles, slots = batch.roles.unique(return_inverse=True)
            device = self.backbone.device
            factors = generate(self.trainee.config, current, roles.to(device))
            hidden = self.backbone.hidden(batch.ids.to(device), factors, slots.to(device))
            total += self._token_losses(hidden, batch)[0].sum().item()
            tokens += batch.reply_tokens
        return total / tokens

    def state(self) -> dict[str, Tensor]:
        """Values and moments for a checkpoint."""
        state = {f"value.{name}": value.detach() for name, value in self.trained.items()}
        for name, (mean, square) in self.moments.items():
            state |= {f"mean.{name}": mean, f"square.{name}": square}
        return state

    @torch.no_grad()
    def load_state(self, state: dict[str, Tensor]) -> None:
        """Takes back what `state` gave."""
        for name, value in self.trained.items():
            value.copy_(state[f"value.{name}"])
            self.moments[name][0].copy_(state[f"mean.{name}"])
            self.moments[name][1].copy_(state[f"square.{name}"])


def _world() -> int:
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


def _rank() -> int:
    return distributed.get_rank() if distributed.is_available() and distributed.is_initialized() else 0
