"""The Transformer of Vaswani et al. 2017 in plain PyTorch functions, one sentence at a time.

Without batches there is no padding and no mask but the causal one, so the code can be read against
the formulas. `torch_modules_logits` computes the same with torch.nn's own Transformer layers on a
padded batch, where those have the model's kinds; the dump is only written when both agree.
"""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

UNKNOWN, BOS, EOS = 0, 1, 2
FIRST_WORD = 4
LAYER_NORM_EPSILON = 1e-5
GATES = {"glu": "sigmoid", "geglu": "gelu", "swiglu": "swish"}  # Shazeer 2020


@dataclass(frozen=True)
class Config:
    """Sizes and kinds of one model."""

    norm: str  # pre | post | deep
    norm_kind: str  # layer | rms
    activation: str  # relu | gelu | swish | glu | geglu | swiglu
    tied: str  # none | all
    encoder_layers: int
    decoder_layers: int
    vocab: int = 37
    model: int = 16
    heads: int = 4
    hidden: int = 32
    positions: str = "sinusoidal"  # sinusoidal | none | rotary | alibi | relative


@dataclass(frozen=True)
class Sentence:
    """One pair: source ids and eos; bos and target ids; target ids and eos."""

    source: list[int]
    target_input: list[int]
    target_output: list[int]


def make_batch(vocab: int, seed: int) -> list[Sentence]:
    """Four pairs of random words whose lengths differ, one word long among them on each side."""
    generator = random.Random(seed)
    batch = []
    for source_words, target_words in [(5, 4), (1, 6), (7, 1), (3, 7)]:
        source = [generator.randrange(FIRST_WORD, vocab) for _ in range(source_words)]
        target = [generator.randrange(FIRST_WORD, vocab) for _ in range(target_words)]
        batch.append(Sentence(source + [EOS], [BOS] + target, target + [EOS]))
    return batch


def linear_shapes(scope: str, inputs: int, outputs: int) -> dict[str, tuple[int, ...]]:
    return {f"{scope}.weight": (outputs, inputs), f"{scope}.bias": (outputs,)}


def norm_shapes(scope: str, kind: str, model: int) -> dict[str, tuple[int, ...]]:
    gain: dict[str, tuple[int, ...]] = {f"{scope}.weight": (model,)}
    return gain if kind == "rms" else gain | {f"{scope}.bias": (model,)}


def attention_shapes(
    scope: str, model: int, key_model: int | None = None, table: tuple[int, int] | None = None
) -> dict[str, tuple[int, ...]]:
    """`key_model`: width of all heads of keys, and of values; as the model's, or less. `table`: the
    shape of relative positions' tables, where there are any."""
    shapes: dict[str, tuple[int, ...]] = {}
    if table:
        shapes = {f"{scope}.relative_{part}.weight": table for part in ("key", "value")}
    for part in ("query", "key", "value", "output"):
        outputs = key_model if key_model and part in ("key", "value") else model
        shapes |= linear_shapes(f"{scope}.{part}", model, outputs)
    return shapes


def feed_forward_shapes(
    scope: str, activation: str, model: int, hidden: int
) -> dict[str, tuple[int, ...]]:
    gate = linear_shapes(f"{scope}.gate", model, hidden) if activation in GATES else {}
    return (
        gate
        | linear_shapes(f"{scope}.input", model, hidden)
        | linear_shapes(f"{scope}.output", hidden, model)
    )


def parameter_shapes(config: Config) -> dict[str, tuple[int, ...]]:
    """Name and shape of every parameter; linear weights are [out, in]."""
    table = (config.vocab, config.model)
    shapes: dict[str, tuple[int, ...]]
    if config.tied == "all":
        shapes = {"embedding.weight": table}
    else:
        shapes = {"source_embedding.weight": table, "target_embedding.weight": table}
    stacks = [
        ("encoder", config.encoder_layers, ["self_attention"]),
        ("decoder", config.decoder_layers, ["self_attention", "cross_attention"]),
    ]
    for stack, layers, attentions in stacks:
        for layer in range(layers):
            scope = f"{stack}.layers.{layer}"
            for attention in attentions:
                shapes |= attention_shapes(f"{scope}.{attention}", config.model)
                shapes |= norm_shapes(f"{scope}.{attention}_norm", config.norm_kind, config.model)
            shapes |= feed_forward_shapes(
                f"{scope}.feed_forward", config.activation, config.model, config.hidden
            )
            shapes |= norm_shapes(f"{scope}.feed_forward_norm", config.norm_kind, config.model)
        if config.norm == "pre":
            shapes |= norm_shapes(f"{stack}.norm", config.norm_kind, config.model)
    if config.tied == "none":
        shapes["output_projection.weight"] = table
    return shapes


def initial_values(shapes: dict[str, tuple[int, ...]], seed: int) -> dict[str, Tensor]:
    """Uniform float32 values; nothing at 0 or 1, so that every gradient has something to say."""
    generator = random.Random(seed)
    values = {}
    for name, shape in shapes.items():
        if name.endswith("bias"):
            centre, width = 0.0, 0.4
        elif len(shape) == 1:  # the weight of a norm
            centre, width = 1.0, 0.5
        else:
            centre, width = 0.0, math.sqrt(3.0 / shape[1])
        flat = [generator.uniform(centre - width, centre + width) for _ in range(math.prod(shape))]
        values[name] = torch.tensor(flat, dtype=torch.float32).reshape(shape)
    return values


def sinusoids(length: int, model: int) -> Tensor:
    """PE[pos, 2i] = sin(pos / 10000^(2i/model)), PE[pos, 2i+1] = cos(same): [length, model]."""
    table = torch.empty(length, model, dtype=torch.float64)
    for position in range(length):
        for column in range(0, model, 2):
            angle = position / 10000 ** (column / model)
            table[position, column] = math.sin(angle)
            table[position, column + 1] = math.cos(angle)
    return table


def activate(name: str, x: Tensor) -> Tensor:
    """relu; gelu with the exact erf; swish, x * sigmoid(x); sigmoid."""
    return {"relu": F.relu, "gelu": F.gelu, "swish": F.silu, "sigmoid": F.sigmoid}[name](x)


class Layers:
    """The building blocks over a dictionary of named parameters."""

    def __init__(self, parameters: dict[str, Tensor]):
        self.parameters = parameters
        self.closest_to_kink = math.inf  # smallest |input of relu| met so far

    def linear(self, scope: str, x: Tensor) -> Tensor:
        """x W^T + b: [rows, in] -> [rows, out]."""
        return F.linear(x, self.parameters[f"{scope}.weight"], self.parameters[f"{scope}.bias"])

    def norm(self, scope: str, kind: str, x: Tensor) -> Tensor:
        """Normalised over the last dimension: [rows, model]."""
        weight = self.parameters[f"{scope}.weight"]
        if kind == "rms":
            return F.rms_norm(x, weight.shape, weight, LAYER_NORM_EPSILON)
        bias = self.parameters[f"{scope}.bias"]
        return F.layer_norm(x, weight.shape, weight, bias, LAYER_NORM_EPSILON)

    def feed_forward(self, scope: str, activation: str, x: Tensor) -> Tensor:
        """[rows, model] -> [rows, hidden] -> [rows, model]."""
        inner = self.linear(f"{scope}.input", x)
        if activation in GATES:
            gate = activate(GATES[activation], self.linear(f"{scope}.gate", x))
            return self.linear(f"{scope}.output", gate * inner)
        if activation == "relu":
            self.closest_to_kink = min(self.closest_to_kink, inner.abs().min().item())
        return self.linear(f"{scope}.output", activate(activation, inner))

    def attention(
        self,
        scope: str,
        heads: int,
        x: Tensor,
        memory: Tensor,
        causal: bool,
        positions: str = "none",
    ) -> Tensor:
        """Rows of `x` [queries, model] attend to rows of `memory` [keys, model] of one sentence.
        `positions`: what self-attention knows of them; kinds that it knows nothing of are none."""

        def split(rows: Tensor) -> Tensor:
            part = rows.unflatten(1, (-1, x.shape[1] // heads)).transpose(0, 1)
            return part.repeat_interleave(heads // len(part), 0)  # [heads, rows, head]

        query = split(self.linear(f"{scope}.query", x))
        key = split(self.linear(f"{scope}.key", memory))
        value = split(self.linear(f"{scope}.value", memory))
        if positions == "rotary":
            query, key = turned(query), turned(key)
        scores = query @ key.transpose(1, 2)
        if positions == "relative":
            keys, values = self.relative_rows(scope, len(x))
            scores = scores + torch.einsum("hid,ijd->hij", query, keys)
        scores = scores / math.sqrt(query.shape[2])
        if positions == "alibi":
            scores = scores - alibi_slopes(heads)[:, None, None] * distances(len(x)).abs()
        if causal:
            scores = scores + causal_mask(len(x)).to(scores.dtype)
        weights = F.softmax(scores, dim=-1)
        context = weights @ value
        if positions == "relative":
            context = context + torch.einsum("hij,ijd->hid", weights, values)
        return self.linear(f"{scope}.output", context.transpose(0, 1).flatten(1))

    def relative_rows(self, scope: str, length: int) -> tuple[Tensor, Tensor]:
        """What the tables of keys and values say of each distance: [queries, keys, head] each."""
        tables = [self.parameters[f"{scope}.relative_{part}.weight"] for part in ("key", "value")]
        farthest = len(tables[0]) // 2
        rows = distances(length).clamp(-farthest, farthest) + farthest
        return tables[0][rows], tables[1][rows]


def turned(x: Tensor) -> Tensor:
    """Rotary positions: pairs of neighbours as complex numbers, times e^(i angle) of the row."""
    table = sinusoids(x.shape[1], x.shape[2])
    turns = torch.complex(table[:, 1::2], table[:, 0::2])
    pairs = torch.view_as_complex(x.double().unflatten(2, (-1, 2)))
    return torch.view_as_real(pairs * turns).flatten(2).to(x.dtype)


def alibi_slopes(heads: int) -> Tensor:
    """A geometric sequence for powers of two; others take every other one of twice as many."""
    power = 2 ** int(math.log2(heads))
    slopes = [2 ** (-8 * (i + 1) / power) for i in range(power)]
    between = [2 ** (-8 * (i + 1) / (2 * power)) for i in range(0, 2 * power, 2)]
    return torch.tensor((slopes + between)[:heads])


def distances(length: int) -> Tensor:
    """Number of the key less number of the query: [queries, keys]."""
    numbers = torch.arange(length)
    return numbers[None, :] - numbers[:, None]


def causal_mask(length: int) -> Tensor:
    """0 where a query may look (itself and earlier), -infinity elsewhere: [length, length]."""
    return torch.full((length, length), -math.inf).triu(1)


class Transformer(Layers):
    """Encoder and decoder over the parameters that `parameter_shapes` names."""

    def __init__(self, config: Config, parameters: dict[str, Tensor]):
        super().__init__(parameters)
        self.config = config
        tied = config.tied == "all"
        self.source_table = parameters["embedding.weight" if tied else "source_embedding.weight"]
        self.target_table = parameters["embedding.weight" if tied else "target_embedding.weight"]
        self.output_table = parameters["embedding.weight" if tied else "output_projection.weight"]

    def embed(self, table: Tensor, ids: list[int]) -> Tensor:
        """Rows of the table times sqrt(model), plus positions: [len(ids), model]."""
        scaled = table[torch.tensor(ids)] * math.sqrt(self.config.model)
        if self.config.positions != "sinusoidal":
            return scaled
        return scaled + sinusoids(len(ids), self.config.model).to(table.dtype)

    def residual(self, norm: str, x: Tensor, sublayer: Callable[[Tensor], Tensor]) -> Tensor:
        """pre: x + f(norm(x)); post: norm(x + f(x)); deep: norm(alpha x + f(x))."""
        if self.config.norm == "pre":
            return x + sublayer(self.norm(norm, self.config.norm_kind, x))
        alpha = self.alpha(norm.split(".")[0]) if self.config.norm == "deep" else 1.0
        return self.norm(norm, self.config.norm_kind, alpha * x + sublayer(x))

    def alpha(self, stack: str) -> float:
        """DeepNorm's factor of residual connections (Wang et al. 2022, table 1)."""
        encoder, decoder = self.config.encoder_layers, self.config.decoder_layers
        return 0.81 * (encoder**4 * decoder) ** 0.0625 if stack == "encoder" else (3 * decoder) ** 0.25

    def final_norm(self, scope: str, x: Tensor) -> Tensor:
        return self.norm(scope, self.config.norm_kind, x) if self.config.norm == "pre" else x

    def self_attention_block(self, layer: str, x: Tensor, causal: bool) -> Tensor:
        scope, heads = f"{layer}.self_attention", self.config.heads
        return self.residual(
            f"{scope}_norm",
            x,
            lambda rows: self.attention(scope, heads, rows, rows, causal, self.config.positions),
        )

    def cross_attention_block(self, layer: str, x: Tensor, memory: Tensor) -> Tensor:
        scope, heads = f"{layer}.cross_attention", self.config.heads
        return self.residual(
            f"{scope}_norm", x, lambda rows: self.attention(scope, heads, rows, memory, False)
        )

    def feed_forward_block(self, layer: str, x: Tensor) -> Tensor:
        scope, activation = f"{layer}.feed_forward", self.config.activation
        return self.residual(
            f"{scope}_norm", x, lambda rows: self.feed_forward(scope, activation, rows)
        )

    def encode(self, ids: list[int]) -> Tensor:
        """Source ids of one sentence -> [source tokens, model]."""
        x = self.embed(self.source_table, ids)
        for index in range(self.config.encoder_layers):
            layer = f"encoder.layers.{index}"
            x = self.self_attention_block(layer, x, causal=False)
            x = self.feed_forward_block(layer, x)
        return self.final_norm("encoder.norm", x)

    def decode(self, ids: list[int], memory: Tensor) -> Tensor:
        """Target ids of one sentence and its encoded source -> [target tokens, model]."""
        x = self.embed(self.target_table, ids)
        for index in range(self.config.decoder_layers):
            layer = f"decoder.layers.{index}"
            x = self.self_attention_block(layer, x, causal=True)
            x = self.cross_attention_block(layer, x, memory)
            x = self.feed_forward_block(layer, x)
        return self.final_norm("decoder.norm", x)

    def logits(self, batch: list[Sentence]) -> Tensor:
        """All sentences, packed one after another: [target tokens, vocab]."""
        rows = [self.decode(s.target_input, self.encode(s.source)) for s in batch]
        return F.linear(torch.cat(rows), self.output_table)


def copy_attention(
    target: nn.MultiheadAttention, parameters: dict[str, Tensor], scope: str
) -> None:
    for kind, stacked in (("weight", target.in_proj_weight), ("bias", target.in_proj_bias)):
        parts = [parameters[f"{scope}.{part}.{kind}"] for part in ("query", "key", "value")]
        stacked.copy_(torch.cat(parts))
    copy_affine(target.out_proj, parameters, f"{scope}.output")


def copy_affine(target: nn.Module, parameters: dict[str, Tensor], scope: str) -> None:
    target.weight.copy_(parameters[f"{scope}.weight"])
    target.bias.copy_(parameters[f"{scope}.bias"])


def has_torch_modules(config: Config) -> bool:
    """Whether torch.nn's layers have this norm, this activation and these positions."""
    added = config.positions in ("sinusoidal", "none")
    return config.norm != "deep" and added and config.norm_kind == "layer" and config.activation in ("relu", "gelu")


def torch_stack(model: Transformer, stack: str) -> nn.Module:
    """nn.TransformerEncoder or nn.TransformerDecoder with the weights of `model`."""
    config = model.config
    decoder = stack == "decoder"
    layer_type = nn.TransformerDecoderLayer if decoder else nn.TransformerEncoderLayer
    stack_type = nn.TransformerDecoder if decoder else nn.TransformerEncoder
    layer = layer_type(
        config.model, config.heads, config.hidden, dropout=0.0, activation=config.activation,
        layer_norm_eps=LAYER_NORM_EPSILON, batch_first=True, norm_first=config.norm == "pre",
    )  # fmt: skip
    final = nn.LayerNorm(config.model, LAYER_NORM_EPSILON) if config.norm == "pre" else None
    layers = config.decoder_layers if decoder else config.encoder_layers
    options = {} if decoder else {"enable_nested_tensor": False}
    module = stack_type(layer, layers, final, **options).double()
    blocks = ["self_attention"] + ["cross_attention"] * decoder + ["feed_forward"]
    for index, target in enumerate(module.layers):
        scope = f"{stack}.layers.{index}"
        copy_attention(target.self_attn, model.parameters, f"{scope}.self_attention")
        if decoder:
            copy_attention(target.multihead_attn, model.parameters, f"{scope}.cross_attention")
        copy_affine(target.linear1, model.parameters, f"{scope}.feed_forward.input")
        copy_affine(target.linear2, model.parameters, f"{scope}.feed_forward.output")
        for number, block in enumerate(blocks, start=1):
            norm = getattr(target, f"norm{number}")
            copy_affine(norm, model.parameters, f"{scope}.{block}_norm")
    if final is not None:
        copy_affine(module.norm, model.parameters, f"{stack}.norm")
    return module


@torch.no_grad()
def torch_modules_logits(model: Transformer, batch: list[Sentence]) -> Tensor:
    """What torch.nn's Transformer layers give on the padded batch, rows packed afterwards."""

    def padded(table: Tensor, sentences: list[list[int]]) -> tuple[Tensor, Tensor]:
        rows = [model.embed(table, ids) for ids in sentences]
        lengths = torch.tensor([len(ids) for ids in sentences])
        x = nn.utils.rnn.pad_sequence(rows, batch_first=True)
        return x, torch.arange(x.shape[1]) >= lengths[:, None]

    source, source_padding = padded(model.source_table, [s.source for s in batch])
    target, target_padding = padded(model.target_table, [s.target_input for s in batch])
    memory = torch_stack(model, "encoder")(source, src_key_padding_mask=source_padding)
    rows = torch_stack(model, "decoder")(
        target,
        memory,
        tgt_mask=causal_mask(target.shape[1]) < 0,
        tgt_key_padding_mask=target_padding,
        memory_key_padding_mask=source_padding,
    )
    return F.linear(rows[~target_padding], model.output_table)
