"""Times PyTorch's training steps on batches that Calque exported; scripts/bench/train_vs_pytorch
runs it. Prints one JSON object."""

import argparse
import bisect
import itertools
import json
import resource
import time
from contextlib import nullcontext

import torch
from pytorch_transformer import Options, PaddedBatch, Transformer
from torch.nn.utils.rnn import pad_sequence

BEGIN = 1  # id of text/special_ids.h
Sentences = list[list[int]]


def peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def padded(source: Sentences, target: Sentences) -> PaddedBatch:
    def pad(sentences: Sentences) -> torch.Tensor:
        return pad_sequence([torch.tensor(ids) for ids in sentences], batch_first=True)

    def real(sentences: Sentences) -> torch.Tensor:
        lengths = torch.tensor([len(ids) for ids in sentences])
        return torch.arange(int(lengths.max())) < lengths[:, None]

    return PaddedBatch(
        source=pad(source),
        source_mask=real(source)[:, None, None, :],
        target_input=pad([[BEGIN, *ids[:-1]] for ids in target]),
        target_rows=real(target).flatten().nonzero().flatten(),
        target_output=torch.tensor([id for ids in target for id in ids]),
    )


def micro_batches(source: Sentences, target: Sentences, tokens: int) -> list[PaddedBatch]:
    """The parts that Calque computes a batch in (train/micro_batch.h); with `tokens` 0 the whole."""
    longer_side = max(sum(map(len, source)), sum(map(len, target)))
    parts = min(max(-(-longer_side // tokens), 1), len(source)) if tokens else 1
    longer = source if sum(map(len, source)) > sum(map(len, target)) else target
    begins = [0, *itertools.accumulate(map(len, longer))][:-1]
    cuts = [0]
    for part in range(1, parts + 1):
        wanted = bisect.bisect_left(begins, longer_side * part // parts)
        cuts.append(min(max(wanted, cuts[-1] + 1), len(source) - (parts - part)))
    return [padded(source[i:j], target[i:j]) for i, j in zip(cuts, cuts[1:])]


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calque", required=True, help="figures of `calque bench train --json`")
    parser.add_argument("--batches", required=True, help="what it exported")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--micro-batches", action="store_true")
    parser.add_argument("--steps", type=int, help="fewer than were exported")
    return parser.parse_args()


def main() -> None:
    after_import = peak_bytes()
    arguments = parse_arguments()
    torch.manual_seed(1)
    torch.set_num_threads(arguments.threads)
    with open(arguments.calque) as file:
        figures = json.load(file)
    settings = figures["settings"]
    with open(arguments.batches) as file:
        lines = [json.loads(line) for line in file]
    options = Options.of(settings, figures["source_vocabulary"])
    tokens = int(settings["train.micro_batch_tokens"]) if arguments.micro_batches else 0
    accumulate = int(settings["train.accumulate"])
    batches = [micro_batches(line["source"], line["target"], tokens) for line in lines]
    target_tokens = [sum(map(len, line["target"])) for line in lines]
    longest = max(len(ids) for line in lines for side in line.values() for ids in side)

    model = Transformer(options, longest)
    optimizer = torch.optim.Adam(
        model.parameters(),
        lr=1e-4,
        betas=(float(settings["train.beta1"]), float(settings["train.beta2"])),
        eps=float(settings["train.epsilon"]),
        fused=True,
    )
    clip_norm = float(settings["train.clip_norm"])
    loss_of = torch.compile(model, dynamic=True) if arguments.compile else model
    bfloat16 = arguments.precision == "bfloat16"

    def update(first: int) -> float:
        """One update of the weights from the batches [first, first + accumulate)."""
        optimizer.zero_grad(set_to_none=True)
        scale = 1 / sum(target_tokens[first : first + accumulate])
        total = 0.0
        for parts in batches[first : first + accumulate]:
            for part in parts:
                with torch.autocast("cpu", torch.bfloat16) if bfloat16 else nullcontext():
                    loss = loss_of(*part) * scale
                loss.backward()
                total += loss.item()
        if clip_norm > 0:
            torch.nn.utils.clip_grad_norm_(model.parameters(), clip_norm, foreach=True)
        optimizer.step()
        return total

    if arguments.compile:  # whatever is compiled for a new shape comes before the clock
        for first in range(0, len(batches), accumulate):
            update(first)
    seconds, losses = [], []
    for first in range(0, len(batches), accumulate):
        start = time.perf_counter()
        losses.append(update(first))
        seconds.append(time.perf_counter() - start)
        if arguments.steps and len(seconds) == figures["warm_up_steps"] + arguments.steps:
            break
    print(
        json.dumps(
            {
                "torch": torch.__version__,
                "parameters": sum(p.numel() for p in model.parameters()),
                "step_seconds": seconds[figures["warm_up_steps"] :],
                "warm_up_seconds": seconds[: figures["warm_up_steps"]],
                "losses": losses,
                "peak_bytes": peak_bytes(),
                "import_bytes": after_import,
            }
        )
    )


if __name__ == "__main__":
    main()
