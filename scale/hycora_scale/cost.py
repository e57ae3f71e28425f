"""What a run takes, by formula: memory of each process and arithmetic of a step."""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import dataclass
from typing import Any

from .config import TrainConfig
from .folders import config_file
from .pack_config import HypernetworkConfig, PackConfig, expected_tensors, is_hyper

_FLOAT, _HALF = 4, 2
# Rows of logits in memory at a time (see `losses`), each kept as half, as float and as probability.
_LOGIT_ROWS, _LOGIT_BYTES = 512, _HALF + 2 * _FLOAT


@dataclass(frozen=True)
class Sizes:
    """A decoder's sizes."""

    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    ffn: int
    vocabulary: int

    @property
    def dims(self) -> dict[str, tuple[int, int]]:
        """(in, out) of every projection."""
        query, key = self.heads * self.head_dim, self.kv_heads * self.head_dim
        hidden, ffn = self.hidden, self.ffn
        dims = {"q": (hidden, query), "k": (hidden, key), "v": (hidden, key), "o": (query, hidden)}
        return dims | {"up": (hidden, ffn), "down": (ffn, hidden), "gate": (hidden, ffn)}

    @property
    def layer_weights(self) -> int:
        """Numbers in a layer's linears."""
        return sum(size * out for size, out in self.dims.values())


@dataclass(frozen=True)
class Batch:
    """What a step holds: rows and their tokens over all processes, reply tokens among them, different roles."""

    rows: int
    tokens: int
    replies: int
    roles: int
    processes: int = 1
    recompute: bool = False
    """Activations are computed again on the way back."""
    fused_attention: bool = True
    """Scores never lie in memory, as on a GPU."""


def read_sizes(place: str) -> Sizes:
    """Sizes out of a folder's config.json; no weights are needed."""
    config: dict[str, Any] = json.loads(config_file(place).read_text("utf8"))
    heads, hidden = config["num_attention_heads"], config["hidden_size"]
    return Sizes(
        layers=config.get("num_hidden_layers") or config["num_layers"],
        hidden=hidden,
        heads=heads,
        kv_heads=config.get("num_key_value_heads") or config.get("multi_query_group_num") or heads,
        head_dim=config.get("head_dim") or hidden // heads,
        ffn=config.get("intermediate_size") or config["ffn_hidden_size"],
        vocabulary=config.get("vocab_size") or config["padded_vocab_size"],
    )


def adapter_of(sizes: Sizes, config: TrainConfig) -> PackConfig:
    """The adapter that a fresh run of this configuration trains."""
    own, hyper = config.hypernetwork, is_hyper(config.sources.A, config.sources.B)
    encoder = HypernetworkConfig(own.layerEmbedding, own.hidden, own.residualBlocks, own.generatorRank)
    dims = {name: sizes.dims[name] for name in config.targets}
    roles = own.roleEmbedding if hyper or config.contrast.form != "off" else None
    sources = config.sources
    return PackConfig(
        config.rank,
        config.alpha,
        sizes.layers,
        config.targets,
        dims,
        sources.A,
        sources.B,
        roles,
        encoder if hyper else None,
    )


def trained_numbers(adapter: PackConfig, roles: int, *, has_heads: bool) -> int:
    """P: how many numbers learn."""
    return sum(math.prod(shape) for shape in expected_tensors(adapter, roles, has_heads=has_heads).values())


def layer_bytes_per_token(sizes: Sizes, rank: int, tokens: int, *, fused_attention: bool) -> int:
    """What a layer keeps of a token for the way back, products in bfloat16 and sums in float32.

    12·H + 8·F + 2·Q (inputs of norms and linears, gate, up and their product) + 7·2·r + attention: queries, keys,
    values and the result (8·Q), or, with scores, three of width Q and 6 bytes a head and position.
    """
    query = sizes.heads * sizes.head_dim
    linears = (2 * _FLOAT + 2 * _HALF) * sizes.hidden + 4 * _HALF * sizes.ffn + _HALF * query + 7 * _HALF * rank
    scores = (_FLOAT + _HALF) * sizes.heads * tokens
    return linears + (4 * _HALF * query if fused_attention else 3 * _HALF * query + scores)


def memory(sizes: Sizes, adapter: PackConfig, batch: Batch, trained: int) -> dict[str, int]:
    """Bytes of one process: weights (its shard, two layers, embedding and head), adapter, matrices, activations.

    Linears and the head are in half precision, the embedding, with which the sums begin, is not.
    """
    gathered = 0 if batch.processes == 1 else 2 * sizes.layer_weights
    linears = _HALF * (sizes.layers * sizes.layer_weights // batch.processes + gathered)
    ends = (_FLOAT + _HALF) * sizes.vocabulary * sizes.hidden
    rank = adapter.rank
    numbers = adapter.layers * rank * sum(size for size, _ in adapter.dims.values())
    # A as made, its gradient twice (a layer's own and all together) and its copy in half precision.
    matrices = batch.roles * numbers * (3 * _FLOAT + _HALF)
    own = math.ceil(batch.rows / batch.processes) * batch.tokens
    per_layer = layer_bytes_per_token(sizes, rank, batch.tokens, fused_attention=batch.fused_attention)
    kept = per_layer + sizes.layers * _FLOAT * sizes.hidden if batch.recompute else sizes.layers * per_layer
    return {
        "weights": linears + ends,
        "adapter": 4 * _FLOAT * trained,
        "matrices": matrices,
        "activations": own * kept,
        "logits": _LOGIT_ROWS * sizes.vocabulary * _LOGIT_BYTES,
    }


def loading(sizes: Sizes) -> dict[str, int]:
    """Bytes of one process before its weights are spread: the whole backbone, as read and as cast.

    Beside the processor it lies in float32, embedding and head apart; on the device as trained.
    """
    layers, ends = sizes.layers * sizes.layer_weights, sizes.vocabulary * sizes.hidden
    return {"host": _FLOAT * (layers + 2 * ends), "device": _HALF * layers + (_FLOAT + _HALF) * ends}


def arithmetic(sizes: Sizes, batch: Batch) -> float:
    """Floating-point operations of a step, all processes together.

    2·N a token forward and 2·N back (frozen weights have no gradient), N the layers' weights, and 2·N more where
    activations are computed again; attention 4·Q a pair of tokens and pass; the head 4·H·V a reply token.
    """
    passes = 3 if batch.recompute else 2
    tokens = batch.rows * batch.tokens
    attention = 2 * 4 * sizes.heads * sizes.head_dim * batch.tokens
    layers = sizes.layers * (2 * sizes.layer_weights + attention) * tokens * passes
    return layers + 4 * sizes.hidden * sizes.vocabulary * batch.replies


def plan(options: argparse.Namespace, config: TrainConfig) -> dict[str, Any]:
    """`{bytes: {…, total}, loadPeak: {host, device}, trained, operationsPerStep, secondsPerStep?}` of each process."""
    sizes = read_sizes(options.backbone)
    adapter = adapter_of(sizes, config)
    has_heads = config.contrast.form != "off"
    trained = trained_numbers(adapter, options.roles, has_heads=has_heads)
    batch = Batch(
        rows=config.batch,
        tokens=config.maxTokens,
        replies=config.batch * config.maxTokens // 2,
        roles=min(options.roles, config.batch),
        processes=options.processes,
        recompute=options.checkpoint_activations,
    )
    parts = memory(sizes, adapter, batch, trained)
    operations = arithmetic(sizes, batch) * config.accumulate
    result = {
        "bytes": {**parts, "total": sum(parts.values())},
        "loadPeak": loading(sizes),
        "trained": trained,
        "operationsPerStep": operations,
    }
    if options.teraflops:
        seconds = operations / (options.teraflops * 1e12 * options.processes)
        result |= {"secondsPerStep": seconds, "tokensPerSecond": config.batch * config.maxTokens / seconds}
    return result
