"""A decoder of ChatGLM2's layout, as the code beside its weights has it, with a cache: what exporters read."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import PreTrainedConfig, PreTrainedModel
from transformers.modeling_outputs import CausalLMOutputWithPast


class ChatGLMConfig(PreTrainedConfig):
    """Sizes, by ChatGLM2's names."""

    model_type = "chatglm"

    def __init__(self, **settings):
        super().__init__(**settings)
        self.num_hidden_layers = settings.get("num_layers", 2)


class RMSNorm(nn.Module):
    """x / √(mean x² + ε) · gain"""

    def __init__(self, hidden: int, epsilon: float):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(hidden))
        self.eps = epsilon

    def forward(self, x: Tensor) -> Tensor:
        """Along the last axis."""
        return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps))


def rotate(x: Tensor, angles: Tensor) -> Tensor:
    """Turns neighbours: x [tokens, rows, heads, width], angles [tokens, rows, pairs, 2] of the first half of a head."""
    tokens, _, heads, _ = x.shape
    dim = angles.shape[-2] * 2
    turned, rest = x[..., :dim], x[..., dim:]
    pairs = turned.reshape(tokens, -1, heads, dim // 2, 2)
    at = angles.view(tokens, -1, 1, pairs.size(3), 2)
    parts = [
        pairs[..., 0] * at[..., 0] - pairs[..., 1] * at[..., 1],
        pairs[..., 1] * at[..., 0] + pairs[..., 0] * at[..., 1],
    ]
    return torch.cat((torch.stack(parts, -1).flatten(3), rest), dim=-1)


class GLMBlock(nn.Module):
    """Attention and feed-forward on [tokens, rows, hidden]."""

    def __init__(self, config: ChatGLMConfig):
        super().__init__()
        hidden, self.heads = config.hidden_size, config.num_attention_heads
        self.groups, self.width = config.multi_query_group_num, config.kv_channels
        self.input_layernorm = RMSNorm(hidden, config.layernorm_epsilon)
        self.post_attention_layernorm = RMSNorm(hidden, config.layernorm_epsilon)
        self.self_attention, self.mlp = nn.Module(), nn.Module()
        rows = (self.heads + 2 * self.groups) * self.width
        self.self_attention.query_key_value = nn.Linear(hidden, rows, bias=config.add_qkv_bias)
        self.self_attention.dense = nn.Linear(self.heads * self.width, hidden, bias=False)
        self.mlp.dense_h_to_4h = nn.Linear(hidden, 2 * config.ffn_hidden_size, bias=False)
        self.mlp.dense_4h_to_h = nn.Linear(config.ffn_hidden_size, hidden, bias=False)

    def forward(
        self, x: Tensor, angles: Tensor, mask: Tensor, past: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """`past` and what is given back: keys and values [rows, groups, tokens, width]."""
        heads, groups, width = self.heads, self.groups, self.width
        fused = self.self_attention.query_key_value(self.input_layernorm(x))
        q, k, v = fused.split([heads * width, groups * width, groups * width], dim=-1)
        q = rotate(q.view(*q.shape[:-1], heads, width), angles).permute(1, 2, 0, 3)
        k = rotate(k.view(*k.shape[:-1], groups, width), angles).permute(1, 2, 0, 3)
        v = v.view(*v.shape[:-1], groups, width).permute(1, 2, 0, 3)
        if past is not None:
            k, v = torch.cat((past[0], k), dim=2), torch.cat((past[1], v), dim=2)
        present = (k, v)
        k, v = (self._for_all_heads(part) for part in present)
        scores = torch.matmul(q, k.transpose(2, 3)) / width**0.5
        seen = torch.matmul(F.softmax(scores + mask, dim=-1), v).permute(2, 0, 1, 3)
        x = x + self.self_attention.dense(seen.reshape(*seen.shape[:2], heads * width))
        gate, up = self.mlp.dense_h_to_4h(self.post_attention_layernorm(x)).chunk(2, dim=-1)
        return x + self.mlp.dense_4h_to_h(F.silu(gate) * up), present

    def _for_all_heads(self, x: Tensor) -> Tensor:
        repeat = self.heads // self.groups
        spread = x.unsqueeze(2).expand(-1, -1, repeat, -1, -1)
        return spread.reshape(x.shape[0], self.heads, x.shape[2], self.width)


class ChatGLMModel(nn.Module):
    """From ids [rows, tokens] to states [tokens, rows, hidden]."""

    def __init__(self, config: ChatGLMConfig):
        super().__init__()
        self.embedding, self.encoder = nn.Module(), nn.Module()
        self.embedding.word_embeddings = nn.Embedding(config.padded_vocab_size, config.hidden_size)
        self.encoder.layers = nn.ModuleList([GLMBlock(config) for _ in range(config.num_layers)])
        self.encoder.final_layernorm = RMSNorm(config.hidden_size, config.layernorm_epsilon)
        self.output_layer = nn.Linear(config.hidden_size, config.padded_vocab_size, bias=False)
        self.dim, self.positions = config.kv_channels // 2, config.seq_length

    def forward(self, input_ids: Tensor, position_ids: Tensor, past=None):
        """The states, and keys and values of every layer."""
        x = self.embedding.word_embeddings(input_ids).transpose(0, 1)
        frequencies = 1 / 10_000 ** (torch.arange(0, self.dim, 2) / self.dim)
        turned = torch.outer(torch.arange(self.positions), frequencies)
        table = torch.stack((torch.cos(turned), torch.sin(turned)), dim=-1)
        angles = table[position_ids].transpose(0, 1)
        before = past[0][0].shape[2] if past else 0
        keys = torch.arange(before + input_ids.shape[1], device=x.device)
        is_seen = keys[None, None, None, :] <= position_ids[:, None, :, None]
        mask = torch.where(is_seen, 0.0, -1e9)
        presents = []
        for index, layer in enumerate(self.encoder.layers):
            x, present = layer(x, angles, mask, past[index] if past else None)
            presents.append(present)
        return self.encoder.final_layernorm(x), presents


class ChatGLMForConditionalGeneration(PreTrainedModel):
    """The decoder with its logits, [rows, tokens, vocabulary]."""

    config_class = ChatGLMConfig
    base_model_prefix = "transformer"

    def __init__(self, config: ChatGLMConfig):
        super().__init__(config)
        self.transformer = ChatGLMModel(config)
        self.post_init()

    def forward(self, input_ids, position_ids=None, past_key_values=None):
        """Logits and the cache; without positions, those of a text from its start."""
        if position_ids is None:
            position_ids = torch.arange(input_ids.shape[1], device=input_ids.device).expand(input_ids.shape)
        states, presents = self.transformer(input_ids, position_ids, past_key_values)
        logits = self.transformer.output_layer(states).transpose(0, 1)
        return CausalLMOutputWithPast(logits=logits, past_key_values=presents)
