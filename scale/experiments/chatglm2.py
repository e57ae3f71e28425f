"""Writes a tiny random decoder of ChatGLM2's form as several exporters write it, each with PyTorch's logits beside it.

    python experiments/chatglm2.py OUT [--only script,dynamo,builder] [--seed 1]

`script` and `dynamo` are PyTorch's two exporters on the code as it is: tokens along the first axis, fused linears,
neighbours turned by hand. `builder` is onnxruntime-genai's, which takes the fused linears apart and knows the rotation
as an attribute; it has to be installed, which nothing else here needs. `OUT/FORM` holds config.json, the model, and
`golden.safetensors` with `input_ids`, `logits` [tokens, vocabulary] and `step_logits` of token 42 behind them.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from chatglm2_model import ChatGLMConfig, ChatGLMForConditionalGeneration
from safetensors.numpy import save_file
from torch import Tensor, nn

SIZES = {
    "num_layers": 2,
    "hidden_size": 128,
    "num_attention_heads": 4,
    "multi_query_group_num": 2,
    "multi_query_attention": True,
    "kv_channels": 32,
    "ffn_hidden_size": 96,
    "padded_vocab_size": 160,
    "vocab_size": 160,
    "seq_length": 256,
    "layernorm_epsilon": 1e-5,
    "add_qkv_bias": True,
    "add_bias_linear": False,
    "rmsnorm": True,
    "eos_token_id": 2,
    "pad_token_id": 0,
}
STEP = 42
NEWEST = 18


class Flat(nn.Module):
    """The model with its cache as a row of tensors."""

    def __init__(self, model: ChatGLMForConditionalGeneration):
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor, position_ids: Tensor, *past: Tensor) -> tuple[Tensor, ...]:
        """Logits, then keys and values layer by layer, as they come in."""
        pairs = list(zip(past[::2], past[1::2]))
        out = self.model(input_ids, position_ids, pairs)
        return (out.logits, *(part for pair in out.past_key_values for part in pair))


def build(seed: int) -> ChatGLMForConditionalGeneration:
    """A random decoder whose norms have gains of their own."""
    torch.manual_seed(seed)
    model = ChatGLMForConditionalGeneration(ChatGLMConfig(**SIZES)).eval()
    for name, parameter in model.named_parameters():
        if "layernorm" in name:
            parameter.data = 1 + 0.2 * torch.randn_like(parameter)
        elif name.endswith("bias"):
            parameter.data = 0.3 * torch.randn_like(parameter)
        else:
            parameter.data = torch.randn_like(parameter) * parameter.shape[-1] ** -0.5
    return model.requires_grad_(False)


def write_golden(model: ChatGLMForConditionalGeneration, folder: Path) -> None:
    """Logits of a text, and of one token behind it."""
    ids = torch.randint(0, SIZES["vocab_size"], (1, 12))
    first = model(ids)
    step = model(torch.tensor([[STEP]]), torch.tensor([[12]]), first.past_key_values)
    values = {
        "input_ids": ids[0].numpy().astype(np.int64),
        "logits": first.logits[0].numpy(),
        "step_logits": step.logits[0].numpy(),
    }
    save_file(values, folder / "golden.safetensors")


def export(model: ChatGLMForConditionalGeneration, folder: Path, is_dynamo: bool) -> None:
    """The code as it is, by one of PyTorch's exporters."""
    layers, groups, width = (SIZES[name] for name in ("num_layers", "multi_query_group_num", "kv_channels"))
    ids = torch.randint(0, SIZES["vocab_size"], (2, 3))
    positions = torch.arange(2, 5).repeat(2, 1)
    past = [torch.randn(2, groups, 2, width) for _ in range(2 * layers)]
    parts = [f"{layer}.{part}" for layer in range(layers) for part in ("key", "value")]
    names = ["input_ids", "position_ids", *(f"past_key_values.{part}" for part in parts)]
    outputs = ["logits", *(f"present.{part}" for part in parts)]
    rows, cached = {0: "batch_size", 1: "sequence_length"}, {0: "batch_size", 2: "past_sequence_length"}
    axes = {"input_ids": rows, "position_ids": rows, **{name: cached for name in names[2:]}}
    shapes = (rows, rows, tuple(cached for _ in past))
    axed = {"dynamic_shapes": shapes} if is_dynamo else {"dynamic_axes": {**axes, "logits": rows}}
    torch.onnx.export(
        Flat(model),
        (ids, positions, *past),
        str(folder / "model.onnx"),
        input_names=names,
        output_names=outputs,
        dynamo=is_dynamo,
        opset_version=NEWEST,
        **axed,
    )


def by_builder(model: ChatGLMForConditionalGeneration, folder: Path) -> None:
    """onnxruntime-genai's builder on a checkpoint with its code."""
    checkpoint = folder / "checkpoint"
    model.save_pretrained(checkpoint)
    shutil.copy(Path(__file__).with_name("chatglm2_model.py"), checkpoint / "modeling_chatglm.py")
    file = checkpoint / "config.json"
    code = {
        "AutoConfig": "modeling_chatglm.ChatGLMConfig",
        "AutoModelForCausalLM": "modeling_chatglm.ChatGLMForConditionalGeneration",
    }
    settings = {**json.loads(file.read_text("utf8")), "architectures": ["ChatGLMModel"], "auto_map": code}
    file.write_text(json.dumps(settings))
    vocabulary = {"unk_token": "t0", "vocab": {f"t{index}": index for index in range(SIZES["vocab_size"])}}
    words = {"version": "1.0", "added_tokens": [], "model": {"type": "WordLevel", **vocabulary}}
    (checkpoint / "tokenizer.json").write_text(json.dumps(words))
    (checkpoint / "tokenizer_config.json").write_text('{"tokenizer_class": "PreTrainedTokenizerFast"}')
    words = ["-m", "onnxruntime_genai.models.builder", "-i", str(checkpoint), "-o", str(folder), "-p", "fp32"]
    more = ["-e", "cpu", "-c", str(folder / "cache"), "--extra_options", "hf_remote=true"]
    subprocess.run([sys.executable, *words, *more], check=True)
    shutil.rmtree(checkpoint)
    shutil.rmtree(folder / "cache", ignore_errors=True)
    for file in folder.glob("tokenizer*"):
        file.unlink()


def main() -> None:
    """Writes each form into a folder of its own."""
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("--only", default="script,dynamo,builder")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    forms: dict[str, Any] = {
        "script": lambda model, folder: export(model, folder, False),
        "dynamo": lambda model, folder: export(model, folder, True),
        "builder": by_builder,
    }
    for name in options.only.split(","):
        folder = options.out / name
        folder.mkdir(parents=True, exist_ok=True)
        model = build(options.seed)
        write_golden(model, folder)
        forms[name](model, folder)
        model.config.save_pretrained(folder)


if __name__ == "__main__":
    main()
