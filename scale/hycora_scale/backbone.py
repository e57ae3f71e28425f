"""The frozen language model: a folder with an ONNX file as the page has it, or any Hugging Face decoder."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import CONFIG_MAPPING, AutoConfig, AutoModelForCausalLM

from .adapters import Adaptable, adapt, added_to_gain, freeze_norms
from .chat import Codec, load_codec
from .chatglm import ChatGlmConfig, chatglm_config
from .errors import HycoraError, check
from .fingerprint import fingerprint
from .folders import backbone_folder
from .hypernetwork import Factors
from .onnx_weights import join_linears, read_weights

DTYPES = {"float64": torch.float64, "float32": torch.float32, "bfloat16": torch.bfloat16}
# Settings of a config with which logits are more than the head times the hidden states.
_BEYOND_THE_HEAD = ("final_logit_softcapping", "logit_scale")


@dataclass
class Backbone:
    """A decoder whose weights never change, with room for a role's matrices at every linear."""

    name: str
    architecture: str
    fingerprint: str
    codec: Codec | None
    model: nn.Module
    adaptable: Adaptable
    context: int
    device: torch.device
    dtype: torch.dtype
    logit_factor: float = 1.0
    """Of the states that the head reads, so that it gives the logits (Granite divides these)."""

    @property
    def head(self) -> Tensor:
        """[vocabulary, hidden]"""
        return _head(self.model).weight

    def hidden(self, ids: Tensor, factors: Factors | None, slots: Tensor | None, dropout: float = 0.0) -> Tensor:
        """The hidden states after the final norm: ids [rows, tokens] → [rows, tokens, hidden].

        Rows are padded at the right: attention is causal, so that no token sees padding. `slots` [rows] says which of
        the factors' roles each row has. Where gradients are wanted, the roles stay on stage, since the way back may
        compute a layer again.
        """
        stage = self.adaptable.stage
        stage.factors, stage.dropout = factors, dropout
        stage.low = factors.to(self.dtype) if factors else None
        stage.slots = slots if slots is not None else torch.zeros(len(ids), dtype=torch.long, device=ids.device)
        try:
            with self._autocast():
                decoder = self.model.get_decoder()
                hidden = decoder(input_ids=ids, use_cache=False).last_hidden_state * self.logit_factor
                return hidden.transpose(0, 1) if stage.is_sequence_first else hidden
        finally:
            if not torch.is_grad_enabled():
                stage.clear()

    def compute_twice(self) -> None:
        """Lets every layer keep its input alone and compute the rest again on the way back."""
        self.model.gradient_checkpointing_enable({"use_reentrant": False})
        # Layers look at this before they do; what is below them would begin to drop out.
        for module in self.model.modules():
            if hasattr(module, "gradient_checkpointing"):
                module.training = True

    def shard(self) -> None:
        """Spreads the layers' weights over the processes; each layer is gathered when it runs."""
        from torch.distributed.fsdp import fully_shard

        layers = next(
            m for m in self.model.modules() if isinstance(m, nn.ModuleList) and len(m) == self.adaptable.layers
        )
        for layer in layers:
            fully_shard(layer)

    def _autocast(self) -> AbstractContextManager[None]:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.dtype == torch.bfloat16)


def open_backbone(
    place: str, *, model: str | None, dtype: torch.dtype, device: torch.device, trust_remote_code: bool = False
) -> Backbone:
    """Opens a backbone; `model` is an ONNX file relative to its folder, else the folder's own choice.

    With bfloat16 the linears are kept in it, everything else in float32, and products run under autocast. Code that
    comes with the weights runs only where it is trusted.
    """
    folder = backbone_folder(place, model=model, with_code=trust_remote_code)
    onnx_file = _onnx_file(folder, model)
    config, has_code = _open_config(folder, trust_remote_code, is_graph=onnx_file is not None)
    decoder = _from_onnx(onnx_file, config) if onnx_file else _from_checkpoint(folder, config, has_code)
    if device.type == "cpu":
        # On a processor the plain products and softmax go backward in a fraction of the fused kernel's time.
        decoder.config._attn_implementation = "eager"
    decoder.requires_grad_(False).eval()
    has_bias = getattr(_head(decoder), "bias", None) is not None
    check(not has_bias, "model-incompatible", f"{folder.name}: its head has a bias, which this trainer leaves out")
    gains, epsilon = _norms(decoder, config)
    sizes = _sizes(config, epsilon, decoder)
    mark = fingerprint(folder, sizes, gains)
    _cast(decoder, dtype)
    adaptable = adapt(decoder, sizes["kvHeads"], sizes["heads"])
    freeze_norms(decoder, dtype)
    context = int(getattr(config, "max_position_embeddings", 0) or getattr(config, "seq_length", 0) or 2048)
    decoder.to(device)
    codec = load_codec(folder)
    factor = 1 / float(getattr(config, "logits_scaling", None) or 1)
    backbone = Backbone(folder.name, config.model_type, mark, codec, decoder, adaptable, context, device, dtype, factor)
    if has_code:
        # ChatGLM2 has tokens along the first axis; two tokens of one row tell.
        with torch.no_grad():
            shape = backbone.hidden(torch.zeros(1, 2, dtype=torch.long, device=device), None, None).shape
        adaptable.stage.is_sequence_first = shape[0] == 2
    return backbone


def _open_config(folder: Path, trust_remote_code: bool, *, is_graph: bool) -> tuple[Any, bool]:
    """The folder's config, and whether the backbone's code comes with it; a graph needs none."""
    try:
        value = json.loads((folder / "config.json").read_text("utf8"))
    except ValueError as error:
        raise HycoraError("format-invalid", f"{folder.name}: config.json is not JSON") from error
    kind = value.get("model_type", "llama")
    if is_graph and kind == ChatGlmConfig.model_type:
        return chatglm_config(value), False
    has_code = "auto_map" in value and (trust_remote_code or kind not in CONFIG_MAPPING)
    if has_code:
        fact = f"{folder.name} brings code of its own, which runs only with --trust-remote-code"
        check(trust_remote_code, "usage", fact)
        config = AutoConfig.from_pretrained(folder, trust_remote_code=True)
    else:
        check(kind in CONFIG_MAPPING, "format-unsupported", f"{folder.name}: no decoder of the kind {kind} is known")
        config = AutoConfig.for_model(**{**value, "model_type": kind})
    for name in _BEYOND_THE_HEAD:
        setting = getattr(config, name, None)
        fact = f"{folder.name}: its logits are changed by {name} {setting}, which this trainer leaves out"
        check(setting is None or setting == 1, "model-incompatible", fact)
    return config, has_code


def _head(model: nn.Module) -> nn.Module:
    """The linear that makes logits: transformers' `lm_head`, or ChatGLM2's `output_layer`."""
    head = model.get_output_embeddings()
    head = head if head is not None else getattr(model.get_decoder(), "output_layer", None)
    fact = f"{type(model).__name__} has no head that is known by name"
    check(isinstance(head, nn.Linear), "model-incompatible", fact)
    return head


def _onnx_file(folder: Path, model: str | None) -> Path | None:
    """`--model`, else the only *.onnx, else onnx/model.onnx, else the only onnx/*.onnx, else model.onnx."""
    if model:
        check((folder / model).is_file(), "usage", f"{folder} has no file {model}")
        return folder / model
    top, inner = sorted(folder.glob("*.onnx")), sorted((folder / "onnx").glob("*.onnx"))
    if len(top) == 1:
        return top[0]
    if (folder / "onnx/model.onnx").exists():
        return folder / "onnx/model.onnx"
    if len(inner) == 1:
        return inner[0]
    if (folder / "model.onnx").exists():
        return folder / "model.onnx"
    check(not (top or inner), "usage", f"{folder} has several ONNX files: choose one with --model")
    return None


def _from_onnx(file: Path, config: Any) -> nn.Module:
    heads = config.num_attention_heads
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // heads
    kv_heads = getattr(config, "num_key_value_heads", heads)
    state = read_weights(file, layers=config.num_hidden_layers, heads=heads, kv_heads=kv_heads, head_dim=head_dim)
    # A file may keep the embedding as it was and a quantised copy as head.
    config.tie_word_embeddings = state["model.embed_tokens.weight"] is state["lm_head.weight"]
    model = AutoModelForCausalLM.from_config(config, attn_implementation="sdpa", dtype=torch.float32)
    join_linears(state, model.state_dict())
    _take_from_gains(state, model)
    missing, unknown = model.load_state_dict(state, strict=False)
    check(not missing, "format-unsupported", f"{file.name} lacks {', '.join(missing[:3])}")
    check(
        not unknown, "format-unsupported", f"{file.name} has {', '.join(unknown[:3])}, which {config.model_type} lacks"
    )
    return model


def _take_from_gains(state: dict[str, Tensor], model: nn.Module) -> None:
    """Gains are read as they are multiplied; some decoders keep them without the 1 that they add."""
    for name, module in model.named_modules():
        gain = state.get(f"{name}.weight")
        if gain is not None and gain.dim() == 1 and type(module).__name__.endswith("RMSNorm"):
            state[f"{name}.weight"] = gain - added_to_gain(module)


def _from_checkpoint(folder: Path, config: Any, has_code: bool) -> nn.Module:
    try:
        return AutoModelForCausalLM.from_pretrained(
            folder, config=config, dtype=torch.float32, trust_remote_code=has_code
        )
    except OSError as error:
        fact = f"{folder.name} has no weights that are read: safetensors, or an ONNX file chosen with --model"
        raise HycoraError("format-unsupported", fact) from error


def _norms(model: nn.Module, config: Any) -> tuple[list[Tensor], float]:
    """The gains in the fingerprint's order, layer by layer, the final norm last, and the norms' ε."""
    layers: dict[int, dict[str, Tensor]] = {}
    final: list[Tensor] = []
    for name, parameter in model.named_parameters():
        if "norm" not in name or not name.endswith("weight"):
            continue
        parts = name.split(".")
        gain = parameter + added_to_gain(model.get_submodule(name.rpartition(".")[0]))
        index = next((int(part) for part in parts if part.isdigit()), None)
        if index is None:
            final.append(gain)
        else:
            layers.setdefault(index, {})[parts[-2]] = gain
    around = ("post_attention_layernorm", "pre_feedforward_layernorm", "post_feedforward_layernorm")
    order = ("input_layernorm", "q_norm", "k_norm", *around)
    gains = [layers[index][name] for index in sorted(layers) for name in order if name in layers[index]]
    epsilon = getattr(config, "rms_norm_eps", None) or getattr(config, "layernorm_epsilon", 1e-5)
    return [*gains, *final], float(epsilon)


def _sizes(config: Any, epsilon: float, model: nn.Module) -> dict[str, Any]:
    heads = config.num_attention_heads
    rope = getattr(config, "rope_parameters", None) or {}
    full = rope.get("full_attention") or rope
    return {
        "architecture": config.model_type,
        "layers": getattr(config, "num_hidden_layers", None) or config.num_layers,
        "hidden": config.hidden_size,
        "heads": heads,
        "kvHeads": getattr(config, "num_key_value_heads", None) or getattr(config, "multi_query_group_num", heads),
        "headDim": _head_dim(config),
        "ffn": getattr(config, "intermediate_size", None) or config.ffn_hidden_size,
        "vocabulary": config.vocab_size,
        "theta": float(full.get("rope_theta") or getattr(config, "rope_theta", 10000.0 * _ratio(config))),
        "epsilon": epsilon,
        **_further_sizes(config, rope, model),
    }


def _ratio(config: Any) -> float:
    """What later versions of ChatGLM multiply their θ with."""
    return float(getattr(config, "rope_ratio", None) or 1)


def _further_sizes(config: Any, rope: dict[str, Any], model: nn.Module) -> dict[str, Any]:
    """What a family has that Llama has not."""
    found: dict[str, Any] = {}
    if any(name.endswith(".q_norm.weight") for name, _ in model.named_parameters()):
        found["qkNorm"] = 1
    types = getattr(config, "layer_types", None)
    window = getattr(config, "sliding_window", None) if types is None or "sliding_attention" in types else None
    if window:
        found["window"] = int(window)
        local = (rope.get("sliding_attention") or {}).get("rope_theta") or getattr(config, "rope_local_base_freq", None)
        if local:
            found["thetaLocal"] = float(local)
    multipliers = _multipliers(config)
    usual = (1.0, _head_dim(config) ** -0.5, 1.0, 1.0)
    if any(abs(own - other) > 1e-9 for own, other in zip(multipliers, usual)):
        found["multipliers"] = multipliers
    return found


def _multipliers(config: Any) -> tuple[float, float, float, float]:
    """Of embeddings, attention scores, the residual stream and logits, as Granite and Gemma have them."""
    scalar = getattr(config, "query_pre_attn_scalar", None)
    embedding = config.hidden_size**0.5 if scalar else float(getattr(config, "embedding_multiplier", 1.0))
    scores = float(getattr(config, "attention_multiplier", None) or (scalar or _head_dim(config)) ** -0.5)
    residual = float(getattr(config, "residual_multiplier", 1.0))
    return embedding, scores, residual, 1 / float(getattr(config, "logits_scaling", None) or 1)


def _head_dim(config: Any) -> int:
    return getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads


def _cast(model: nn.Module, dtype: torch.dtype) -> None:
    if dtype != torch.bfloat16:
        model.to(dtype)
        return
    head = _head(model)
    if any(module.weight is head.weight for module in model.modules() if isinstance(module, nn.Embedding)):
        # The sums begin with the embedding's rows, so these stay float32 and the head has a copy of its own.
        head.weight = nn.Parameter(head.weight.detach().clone(), requires_grad=False)
    for module in model.modules():
        if isinstance(module, nn.Linear):
            module.to(dtype)
