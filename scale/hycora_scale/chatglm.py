"""ChatGLM2 as an exported graph has it, without the code that its checkpoints bring along."""

from __future__ import annotations

from typing import Any

from transformers import AutoModelForCausalLM, GlmConfig, GlmForCausalLM

# Settings that ChatGLM calls otherwise.
_NAMES = {
    "num_layers": "num_hidden_layers",
    "kv_channels": "head_dim",
    "ffn_hidden_size": "intermediate_size",
    "layernorm_epsilon": "rms_norm_eps",
    "seq_length": "max_position_embeddings",
    "padded_vocab_size": "vocab_size",
}
_THETA = 10000.0


class ChatGlmConfig(GlmConfig):
    """GLM-4 has ChatGLM2's layers: neighbours turned in half of each head, few key heads, biases of QKV alone."""

    model_type = "chatglm"


class ChatGlm(GlmForCausalLM):
    """GLM-4's decoder under ChatGLM's settings."""

    config_class = ChatGlmConfig


AutoModelForCausalLM.register(ChatGlmConfig, ChatGlm)


def chatglm_config(value: dict[str, Any]) -> ChatGlmConfig:
    """The settings of a ChatGLM2's config.json, by the names of the decoder that computes it."""
    named = {ours: value[theirs] for theirs, ours in _NAMES.items() if theirs in value}
    heads = value["num_attention_heads"]
    groups = value.get("multi_query_group_num", 1) if value.get("multi_query_attention") else heads
    return ChatGlmConfig(
        **named,
        hidden_size=value["hidden_size"],
        num_attention_heads=heads,
        num_key_value_heads=groups,
        attention_bias=bool(value.get("add_qkv_bias", True)),
        rope_parameters={
            "rope_type": "default",
            "rope_theta": _THETA * float(value.get("rope_ratio") or 1),
            "partial_rotary_factor": 0.5,
        },
        eos_token_id=value.get("eos_token_id", 2),
        pad_token_id=value.get("pad_token_id"),
    )
