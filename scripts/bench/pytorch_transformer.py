"""The model that Calque trains, in PyTorch as a careful user would write it for a CPU.

Padded batches, scaled_dot_product_attention, one product for query, key and value, and the output
projection on the rows of real tokens alone.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

ACTIVATIONS = {"relu": F.relu, "gelu": F.gelu, "swish": F.silu}


@dataclass(frozen=True)
class Options:
    """The settings of a Calque config that the model depends on."""

    vocab: int
    model: int
    heads: int
    hidden: int
    encoder_layers: int
    decoder_layers: int
    norm: str  # pre | post
    activation: str  # relu | gelu | swish
    embedding_dropout: float
    residual_dropout: float
    attention_dropout: float
    activation_dropout: float
    label_smoothing: float

    @classmethod
    def of(cls, settings: dict[str, str], vocab: int) -> "Options":
        """`settings`: key -> text, as `calque bench train --json` prints them."""
        for key, text in {
            "model.norm_kind": "layer",
            "model.positions": "sinusoidal",
            "model.tied_embeddings": "all",
            "vocabulary.shared": "true",
        }.items():
            if settings[key] != text:
                raise SystemExit(f"this peer knows {key}: {text} only, not {settings[key]}")
        if settings["model.activation"] not in ACTIVATIONS:
            raise SystemExit(f"this peer knows no model.activation: {settings['model.activation']}")

        def dropout(place: str) -> float:
            return float(settings[f"model.dropout.{place}"])

        return cls(
            vocab=vocab,
            model=int(settings["model.size"]),
            heads=int(settings["model.heads"]),
            hidden=int(settings["model.hidden"]),
            encoder_layers=int(settings["model.encoder.layers"]),
            decoder_layers=int(settings["model.decoder.layers"]),
            norm=settings["model.norm"],
            activation=settings["model.activation"],
            embedding_dropout=dropout("embedding"),
            residual_dropout=dropout("residual"),
            attention_dropout=dropout("attention"),
            activation_dropout=dropout("activation"),
            label_smoothing=float(settings["train.label_smoothing"]),
        )


class PaddedBatch(NamedTuple):
    """Sentences side by side, padded to the longest."""

    source: Tensor  # [sentences, source length] ids
    source_mask: Tensor  # [sentences, 1, 1, source length] true at real tokens
    target_input: Tensor  # [sentences, target length] begin id, then the sentence
    target_rows: Tensor  # [target tokens] rows of real tokens in [sentences * target length]
    target_output: Tensor  # [target tokens] the sentence, then the end id


class SelfAttention(nn.Module):
    def __init__(self, options: Options, causal: bool):
        super().__init__()
        self.heads = options.heads
        self.dropout = options.attention_dropout
        self.causal = causal
        self.projection = nn.Linear(options.model, 3 * options.model)
        self.output = nn.Linear(options.model, options.model)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        query, key, value = split_heads(self.projection(x), 3, self.heads)
        attended = F.scaled_dot_product_attention(
            query, key, value, mask, self.dropout if self.training else 0.0, self.causal
        )
        return self.output(attended.transpose(1, 2).flatten(2))


class CrossAttention(nn.Module):
    def __init__(self, options: Options):
        super().__init__()
        self.heads = options.heads
        self.dropout = options.attention_dropout
        self.query = nn.Linear(options.model, options.model)
        self.key_value = nn.Linear(options.model, 2 * options.model)
        self.output = nn.Linear(options.model, options.model)

    def forward(self, x: Tensor, memory: Tensor, mask: Tensor) -> Tensor:
        (query,) = split_heads(self.query(x), 1, self.heads)
        key, value = split_heads(self.key_value(memory), 2, self.heads)
        attended = F.scaled_dot_product_attention(
            query, key, value, mask, self.dropout if self.training else 0.0
        )
        return self.output(attended.transpose(1, 2).flatten(2))


def split_heads(x: Tensor, parts: int, heads: int) -> list[Tensor]:
    """[sentences, length, parts * model] -> parts of [sentences, heads, length, head]."""
    return [part.unflatten(2, (heads, -1)).transpose(1, 2) for part in x.chunk(parts, 2)]


class FeedForward(nn.Module):
    def __init__(self, options: Options):
        super().__init__()
        self.input = nn.Linear(options.model, options.hidden)
        self.output = nn.Linear(options.hidden, options.model)
        self.activation = ACTIVATIONS[options.activation]
        self.dropout = nn.Dropout(options.activation_dropout)

    def forward(self, x: Tensor) -> Tensor:
        return self.output(self.dropout(self.activation(self.input(x))))


class Sublayer(nn.Module):
    """pre: x + dropout(f(norm(x))); post: norm(x + dropout(f(x)))."""

    def __init__(self, options: Options, function: nn.Module):
        super().__init__()
        self.norm = nn.LayerNorm(options.model)
        self.dropout = nn.Dropout(options.residual_dropout)
        self.function = function
        self.pre = options.norm == "pre"

    def forward(self, x: Tensor, *others: Tensor | None) -> Tensor:
        if self.pre:
            return x + self.dropout(self.function(self.norm(x), *others))
        return self.norm(x + self.dropout(self.function(x, *others)))


class EncoderLayer(nn.Module):
    def __init__(self, options: Options):
        super().__init__()
        self.self_attention = Sublayer(options, SelfAttention(options, causal=False))
        self.feed_forward = Sublayer(options, FeedForward(options))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        return self.feed_forward(self.self_attention(x, mask))


class DecoderLayer(nn.Module):
    """What pads a target stands behind all real tokens, so the causal mask hides it."""

    def __init__(self, options: Options):
        super().__init__()
        self.self_attention = Sublayer(options, SelfAttention(options, causal=True))
        self.cross_attention = Sublayer(options, CrossAttention(options))
        self.feed_forward = Sublayer(options, FeedForward(options))

    def forward(self, x: Tensor, memory: Tensor, mask: Tensor) -> Tensor:
        return self.feed_forward(self.cross_attention(self.self_attention(x, None), memory, mask))


class Transformer(nn.Module):
    """Encoder and decoder with one matrix for source, target and output embeddings."""

    def __init__(self, options: Options, longest: int):
        super().__init__()
        self.options = options
        self.embedding = nn.Embedding(options.vocab, options.model)
        self.dropout = nn.Dropout(options.embedding_dropout)
        self.encoder = nn.ModuleList(EncoderLayer(options) for _ in range(options.encoder_layers))
        self.decoder = nn.ModuleList(DecoderLayer(options) for _ in range(options.decoder_layers))
        final = (lambda: nn.LayerNorm(options.model)) if options.norm == "pre" else nn.Identity
        self.encoder_norm = final()
        self.decoder_norm = final()
        self.register_buffer("positions", sinusoids(longest, options.model))
        for parameter in self.parameters():
            if parameter.dim() == 2:
                nn.init.xavier_uniform_(parameter)
        nn.init.normal_(self.embedding.weight, std=options.model**-0.5)

    def embed(self, ids: Tensor) -> Tensor:
        scaled = self.embedding(ids) * math.sqrt(self.options.model)
        return self.dropout(scaled + self.positions[: ids.shape[1]])

    def forward(
        self,
        source: Tensor,
        source_mask: Tensor,
        target_input: Tensor,
        target_rows: Tensor,
        target_output: Tensor,
    ) -> Tensor:
        """The fields of a PaddedBatch -> label-smoothed cross-entropy, summed over its target."""
        memory = self.embed(source)
        for layer in self.encoder:
            memory = layer(memory, source_mask)
        memory = self.encoder_norm(memory)
        x = self.embed(target_input)
        for layer in self.decoder:
            x = layer(x, memory, source_mask)
        rows = self.decoder_norm(x).flatten(0, 1).index_select(0, target_rows)
        return F.cross_entropy(
            F.linear(rows, self.embedding.weight),
            target_output,
            reduction="sum",
            label_smoothing=self.options.label_smoothing,
        )


def sinusoids(length: int, model: int) -> Tensor:
    """sin(pos / 10000^(2i/model)) and cos(the same), columns 2i and 2i + 1: [length, model]."""
    columns = torch.arange(0, model, 2, dtype=torch.float64)
    angles = torch.arange(length)[:, None] / 10000 ** (columns / model)
    return torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1).float()
