from __future__ import annotations

import pytest
import torch
from conftest import relative
from test_trainer import batch_of, begin

from hycora_scale import trainer as trainer_module
from hycora_scale.adapters import FrozenRmsNorm
from hycora_scale.backbone import open_backbone
from hycora_scale.batches import Batch
from hycora_scale.config import GapConfig
from hycora_scale.gap import draw_rivals, gap_loss, mean_by_row
from hycora_scale.hypernetwork import EVEN, Emphasis, emphasised, generate
from hycora_scale.trainer import Trainer

ALL = {"weight": 0.7, "margin": 0.2, "share": 1.0}


@pytest.fixture(scope="module")
def exact():
    """The starter in float64 throughout: the library's own softmax and norm round to float32."""
    backbone = open_backbone("starter", model=None, dtype=torch.float64, device=torch.device("cpu"))
    decoder = backbone.model.get_decoder()
    decoder.config._attn_implementation = "sdpa"
    decoder.norm = FrozenRmsNorm(decoder.norm.weight, decoder.norm.variance_epsilon, torch.float64)
    return backbone


def nll(trainer: Trainer, batch: Batch, roles: list[int]) -> torch.Tensor:
    """Of each row the mean loss of its reply tokens under a role, by PyTorch's own cross-entropy."""
    backbone, tensors = trainer.backbone, trainer.tensors()
    factors = generate(trainer.trainee.config, tensors, torch.arange(len(trainer.trainee.roles)))
    hidden = backbone.hidden(batch.ids, factors, torch.tensor(roles))
    losses = torch.nn.functional.cross_entropy(
        (hidden[:, :-1] @ backbone.head.T).mT, batch.ids[:, 1:], reduction="none"
    )
    counts = batch.replies[:, 1:]
    return (losses * counts).sum(1) / counts.sum(1)


def objective(trainer: Trainer, batch: Batch, rivals: list[int]) -> float:
    """Cross-entropy and weighted hinge, from the equation."""
    gap = trainer.config.gap
    with torch.no_grad():
        own, other = (nll(trainer, batch, roles) for roles in (batch.roles.tolist(), rivals))
        counts = batch.replies.sum(1)
        hinge = (gap.margin - (other - own)).clamp_min(0)
        return float((own * counts).sum() / counts.sum() + gap.weight * hinge.mean())


def test_the_gradient_is_that_of_central_differences(exact):
    trainer = begin(exact, gap=ALL)
    batch = batch_of(12, 9, 7)
    (rivals,) = zip(*draw_rivals(trainer.config.gap, batch.roles.tolist(), 3, 42, 0).candidates)
    report = trainer.step(0, [batch], 0.0, 0.0)
    assert report.gap > 0
    assert report.loss == pytest.approx(objective(trainer, batch, list(rivals)), rel=1e-12)
    trainer.gradients(0, [batch], 0.0)
    draw = torch.Generator().manual_seed(7)
    # Every third tensor, along a direction of its own.
    for name, value in list(trainer.trained.items())[::3]:
        direction = torch.randn(value.shape, generator=draw, dtype=torch.float64)
        direction /= direction.norm()
        step, sides = 1e-5, []
        for sign in (1, -1):
            with torch.no_grad():
                value += sign * step * direction
                sides.append(objective(trainer, batch, list(rivals)))
                value -= sign * step * direction
        wanted = (sides[0] - sides[1]) / (2 * step)
        assert float((value.grad * direction).sum()) == pytest.approx(wanted, rel=1e-6, abs=1e-8), name


def test_parts_of_a_batch_change_nothing(starter, monkeypatch):
    batch = batch_of(12, 9, 7, 11, 5, 8)
    trainer = begin(starter, gap={**ALL, "share": 0.5}, contrast={"form": "table"})
    wanted = trainer.gradients(3, [batch], 0.3)
    gradients = {name: value.grad.clone() for name, value in trainer.trained.items()}
    monkeypatch.setattr(trainer_module, "_CHUNK_TOKENS", 25)
    assert trainer.gradients(3, [batch], 0.3) == pytest.approx(wanted, rel=1e-5)
    for name, gradient in gradients.items():
        if gradient.abs().max() > 0:
            assert relative(trainer.trained[name].grad, gradient) < 1e-4, name


def test_the_hardest_rival_is_the_one_that_the_line_suits_best(starter):
    batch = batch_of(12, 9, 7, 11)
    trainer = begin(starter, gap={**ALL, "among": 5})
    with torch.no_grad():
        each = [nll(trainer, batch, [role] * 4) for role in range(3)]
    others = [[role for role in range(3) if role != own] for own in batch.roles.tolist()]
    hardest = [min(own, key=lambda role: each[role][row]) for row, own in enumerate(others)]
    hinges = [max(0, 0.2 - float(each[hardest[row]][row] - each[own][row])) for row, own in enumerate(batch.roles)]
    assert trainer.gradients(0, [batch], 0.0)[2] == pytest.approx(sum(hinges) / 4, rel=1e-4)


def test_rivals_are_others_and_change_from_step_to_step():
    own = [0, 1, 2, 3, 0, 1, 2]
    gap = GapConfig(weight=1, share=0.5, among=2)
    drawn = [draw_rivals(gap, own, 4, 42, step).candidates for step in range(20)]
    assert all(len(each) == 4 for each in drawn)
    for rivals in drawn:
        assert all(len(set(each) - {role}) == 2 for role, each in zip(own, rivals))
    assert len({str(each) for each in drawn}) > 10
    assert draw_rivals(gap, own, 4, 42, 3).candidates == drawn[3]
    assert draw_rivals(GapConfig(weight=1, among=9), own, 4, 42, 0).candidates[1] != [0, 1, 2, 3]
    assert draw_rivals(GapConfig(), own, 4, 42, 0).candidates == []
    assert draw_rivals(gap, [0, 0], 1, 42, 0).candidates == []


def test_a_gap_that_is_wide_enough_costs_nothing():
    own, other = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([2.0, 2.1, 2.5])
    assert gap_loss(own, other, 0.3).item() == pytest.approx(0.2 + 0.8)
    means = mean_by_row(torch.tensor([1.0, 3.0, 5.0]), torch.tensor([0, 0, 2]), 3)
    assert means.tolist() == [2, 0, 5]


def test_generators_may_learn_differences_alone(starter):
    """What they leave out is learnt by A₀, whose gradient is that of all roles together either way."""
    batch = batch_of(12, 9, 7)
    found = []
    for emphasis in (EVEN, Emphasis(common=0)):
        trainer = begin(starter, sources={"A": "hyper+static"})
        trainer.emphasis = emphasis
        trainer.gradients(0, [batch], 0.0)
        found.append({name: value.grad.clone() for name, value in trainer.trained.items()})
    whole, parts = found
    # A bias of the generators is common to all roles.
    assert parts["q_down_linear.up.bias"].abs().max() < 1e-6 < whole["q_down_linear.up.bias"].abs().max()
    assert parts["q_down_linear.up.weight"].abs().max() > 1e-6
    torch.testing.assert_close(parts["layers.0.q.lora_A0"], whole["layers.0.q.lora_A0"])


def test_what_roles_differ_by_may_weigh_more():
    made = torch.randn(3, 4, 2, generator=torch.Generator().manual_seed(1), requires_grad=True)
    weights = torch.randn(3, 4, 2, generator=torch.Generator().manual_seed(2))
    same = emphasised(made, Emphasis(common=0.5, difference=3))
    torch.testing.assert_close(same, made)
    (same * weights).sum().backward()
    common = weights.mean(dim=0, keepdim=True)
    torch.testing.assert_close(made.grad, 0.5 * common + 3 * (weights - common))


def test_role_vectors_may_have_a_rate_of_their_own(starter):
    steps = []
    for rate in (1.0, 10.0):
        trainer = begin(starter, learningRate=1e-4, clip=0)
        trainer.vector_rate = rate
        before = {name: value.clone() for name, value in trainer.tensors().items()}
        trainer.step(0, [batch_of(12, 9, 7)], 0.0)
        steps.append({name: value - before[name] for name, value in trainer.tensors().items()})
    torch.testing.assert_close(steps[1]["roles_emb.weight"], 10 * steps[0]["roles_emb.weight"], rtol=1e-2, atol=1e-6)
    torch.testing.assert_close(steps[1]["layers_emb.weight"], steps[0]["layers_emb.weight"])
