"""A decoder of ChatGLM2's layout in few lines: tokens along the first axis, fused linears, a head of its own name."""

from torch import nn
from torch.nn import functional as F
from transformers import PreTrainedConfig, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutputWithPast, CausalLMOutputWithPast

HEADS, GROUPS, WIDTH = 4, 2, 8


class ToyConfig(PreTrainedConfig):
    """Sizes, by ChatGLM2's names."""

    model_type = "chatglm2-toy"


class Layer(nn.Module):
    """Attention and feed-forward on [tokens, rows, hidden]."""

    def __init__(self, hidden, ffn):
        super().__init__()
        self.input_layernorm, self.post_attention_layernorm = nn.RMSNorm(hidden), nn.RMSNorm(hidden)
        self.self_attention, self.mlp = nn.Module(), nn.Module()
        self.self_attention.query_key_value = nn.Linear(hidden, (HEADS + 2 * GROUPS) * WIDTH)
        self.self_attention.dense = nn.Linear(HEADS * WIDTH, hidden, bias=False)
        self.mlp.dense_h_to_4h = nn.Linear(hidden, 2 * ffn, bias=False)
        self.mlp.dense_4h_to_h = nn.Linear(ffn, hidden, bias=False)

    def forward(self, x):
        fused = self.self_attention.query_key_value(self.input_layernorm(x)).unflatten(-1, (-1, WIDTH))
        q, k, v = fused.permute(1, 2, 0, 3).split([HEADS, GROUPS, GROUPS], dim=1)
        k, v = (part.repeat_interleave(HEADS // GROUPS, dim=1) for part in (k, v))
        seen = F.scaled_dot_product_attention(q, k, v, is_causal=True).permute(2, 0, 1, 3).flatten(2)
        x = x + self.self_attention.dense(seen)
        gate, up = self.mlp.dense_h_to_4h(self.post_attention_layernorm(x)).chunk(2, dim=-1)
        return x + self.mlp.dense_4h_to_h(F.silu(gate) * up)


class Decoder(nn.Module):
    """From ids [rows, tokens] to states [tokens, rows, hidden]."""

    def __init__(self, config):
        super().__init__()
        self.embedding, self.encoder = nn.Module(), nn.Module()
        self.embedding.word_embeddings = nn.Embedding(config.padded_vocab_size, config.hidden_size)
        layers = [Layer(config.hidden_size, config.ffn_hidden_size) for _ in range(config.num_layers)]
        self.encoder.layers = nn.ModuleList(layers)
        self.encoder.final_layernorm = nn.RMSNorm(config.hidden_size)
        self.output_layer = nn.Linear(config.hidden_size, config.padded_vocab_size, bias=False)

    def get_decoder(self):
        return self

    def forward(self, input_ids, use_cache=False):
        x = self.embedding.word_embeddings(input_ids).transpose(0, 1)
        for layer in self.encoder.layers:
            x = layer(x)
        return BaseModelOutputWithPast(last_hidden_state=self.encoder.final_layernorm(x))


class Toy(PreTrainedModel):
    """The decoder with its logits, [rows, tokens, vocabulary]."""

    config_class = ToyConfig
    base_model_prefix = "transformer"

    def __init__(self, config):
        super().__init__(config)
        self.transformer = Decoder(config)
        self.post_init()

    def forward(self, input_ids):
        states = self.transformer(input_ids).last_hidden_state
        return CausalLMOutputWithPast(logits=self.transformer.output_layer(states).transpose(0, 1))
