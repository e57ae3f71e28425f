from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from hycora_scale.functions import adapted_linear, rms_norm
from hycora_scale.losses import contrast, token_losses


def draw(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize(("a_slots", "b_slots"), [(3, 1), (3, 3), (1, 1), (1, 3)])
def test_the_adapted_linear_has_the_gradients_of_its_equation(a_slots, b_slots):
    torch.manual_seed(3)
    x, a, b = draw(4, 5, 6), draw(a_slots, 6, 2), draw(b_slots, 2, 7)
    weight, bias = torch.randn(7, 6, dtype=torch.float64), torch.randn(7, dtype=torch.float64)
    slots = torch.tensor([2, 0, 2, 1])

    def ours(x, a, b):
        return adapted_linear(x, weight, bias, (a, b, a.detach(), b.detach()), slots, 1.5, 0.0)

    own_a = a[slots] if a_slots > 1 else a
    own_b = b[slots] if b_slots > 1 else b
    wanted = F.linear(x, weight, bias) + 1.5 * (x @ own_a) @ own_b
    found = ours(x, a, b)
    torch.testing.assert_close(found, wanted)
    upstream = torch.randn_like(wanted)
    for one, two in zip(
        torch.autograd.grad(found, (x, a, b), upstream), torch.autograd.grad(wanted, (x, a, b), upstream)
    ):
        torch.testing.assert_close(one, two)


def test_dropout_drops_the_adapters_input_only():
    torch.manual_seed(3)
    x = torch.ones(2, 3, 1000, dtype=torch.float64)
    weight = torch.zeros(1, 1000, dtype=torch.float64)
    a, b = torch.ones(1, 1000, 1, dtype=torch.float64), torch.ones(1, 1, 1, dtype=torch.float64)
    y = adapted_linear(x, weight, None, (a, b, a, b), torch.tensor([0, 0]), 1.0, 0.25)
    assert y.std() > 0
    assert abs(y.mean().item() - 1000) < 30


def test_rms_norm_has_the_gradient_of_its_equation():
    torch.manual_seed(4)
    x, gain = draw(3, 8), torch.randn(8, dtype=torch.float64)
    wanted = x * (x.square().mean(-1, keepdim=True) + 1e-5).rsqrt() * gain
    found = rms_norm(x, gain, 1e-5, torch.float64)
    torch.testing.assert_close(found, wanted)
    upstream = torch.randn_like(x)
    torch.testing.assert_close(*(torch.autograd.grad(y, x, upstream)[0] for y in (found, wanted)))


def test_token_losses_are_the_cross_entropy_without_keeping_logits():
    torch.manual_seed(5)
    hidden, head, targets = draw(700, 6), torch.randn(11, 6, dtype=torch.float64), torch.randint(0, 11, (700,))
    found = token_losses(hidden, head, targets)
    wanted = F.cross_entropy(hidden @ head.T, targets, reduction="none")
    torch.testing.assert_close(found, wanted)
    upstream = torch.randn_like(wanted)
    torch.testing.assert_close(*(torch.autograd.grad(y, hidden, upstream)[0] for y in (found, wanted)))


def heads(roles: int) -> dict[str, torch.Tensor]:
    shapes = {"hidden_to_role_emb_layer": (4, 6), "role_emb_to_role_emb_layer": (4, 4)}
    tensors = {"roles_emb.weight": draw(roles, 4)}
    for name, shape in shapes.items():
        tensors |= {f"{name}.weight": draw(*shape), f"{name}.bias": draw(shape[0])}
    return tensors


def test_a_batch_of_one_role_teaches_only_against_the_table():
    torch.manual_seed(6)
    tensors, pooled, roles = heads(3), draw(2, 6), torch.tensor([1, 1])
    table = tensors["roles_emb.weight"]
    in_batch = contrast(tensors, pooled, roles, roles, "batch")
    assert torch.autograd.grad(in_batch, table)[0].abs().max() < 1e-12
    torch.testing.assert_close(in_batch / 2, torch.log(torch.tensor(2.0, dtype=torch.float64)))
    against_all = contrast(tensors, pooled, roles, roles, "table")
    assert torch.autograd.grad(against_all, table)[0].abs().max() > 1e-3


def test_rows_of_a_batch_can_be_contrasted_in_parts():
    torch.manual_seed(7)
    tensors, pooled, roles = heads(3), draw(4, 6), torch.tensor([0, 2, 0, 1])
    whole = contrast(tensors, pooled, roles, roles, "batch")
    parts = [contrast(tensors, pooled[rows], roles[rows], roles, "batch") for rows in (slice(0, 1), slice(1, 4))]
    torch.testing.assert_close(sum(parts), whole)
