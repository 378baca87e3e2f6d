#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets to tests/fuzz/seeds: small valid files and typical damages.

Files called found_* are findings, mended since, and are left as they are.
"""

import gzip
import json
import struct
from pathlib import Path

SEEDS = Path(__file__).resolve().parent / "seeds"
CHECKSUM = ',\n  "checksum": "0000000000000000"\n}\n'  # made right by the target


def write(target, name, content):
    path = SEEDS / target / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def safetensors_file(header, data, length=None):
    text = (header if isinstance(header, str) else json.dumps(header)).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def tensor(kind, shape, begin, end):
    return {"dtype": kind, "shape": shape, "data_offsets": [begin, end]}


def safetensors():
    header = {
        "__metadata__": {"format": "pt"},
        "encoder.weight": tensor("F32", [2, 3], 0, 24),
        "ids": tensor("I32", [2], 24, 32),
        "scalar": tensor("F32", [], 32, 36),
        "none": tensor("F32", [0, 4], 36, 36),
    }
    data = struct.pack("<6f2if", 1, -2.5, 0, 1e30, 5, 6, 7, -8, 9)
    files = {
        "valid_tensors": safetensors_file(header, data),
        "valid_empty": safetensors_file({}, b""),
        "damaged_cut": safetensors_file(header, data[:-4]),
        "damaged_gap": safetensors_file({"a": tensor("F32", [1], 4, 8)}, data[:8]),
        "damaged_overlap": safetensors_file(
            {"a": tensor("F32", [2], 0, 8), "b": tensor("F32", [2], 4, 12)}, data[:12]
        ),
        "damaged_huge": safetensors_file({"a": tensor("F32", [2**62, 4], 0, 0)}, b""),
        "damaged_negative": safetensors_file({"a": tensor("F32", [-1], 0, 4)}, data[:4]),
        "damaged_dtype": safetensors_file({"a": tensor("F64", [1], 0, 8)}, data[:8]),
        "damaged_twice": safetensors_file(
            '{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"a":{}}', b""
        ),
        "damaged_nested": safetensors_file('{"a":' + "[" * 200 + "]" * 200 + "}", b""),
        "damaged_length": safetensors_file("", b"", length=2**64 - 1),
    }
    for name, content in files.items():
        write("safetensors", name, content)


def state():
    whole = {
        "format_version": 2,
        "calque_version": "0.1.0",
        "gemm_engine": "calque",
        "instruction_set": "AVX2",
        "averaged_steps": [100, 200],
        "step": 300,
        "epoch": 2,
        "pairs": 212,
        "micro_batches": 600,
        "optimizer_steps": 299,
        "moving_average_updates": 300,
        "source_tokens": 123456,
        "target_tokens": 123457,
        "trained_seconds": 12.5,
        "skipped": 7,
        "passed_over": {
            "after": {"epoch": 1, "pairs": 110},
            "last": {"epoch": 1, "pairs": 210},
        },
        "scheduled": True,
        "validated_step": 300,
        "best": {"step": 200, "value": 31.5, "loss": 2.25},
        "validations_without_best": 1,
        "corpus": {
            "fingerprint": "0123456789abcdef",
            "pairs": 300,
            "files": {"data/train.en": {"bytes": 999, "xxh3": "00000000000000ff"}},
        },
        "files": {"model.safetensors": {"bytes": 4096, "xxh3": "fedcba9876543210"}},
    }

    def text(changes):
        return json.dumps({**whole, **changes}, indent=2)[: -len("\n}")] + CHECKSUM

    files = {
        "valid_whole": text({}),
        "valid_no_best": text({"best": None, "averaged_steps": []}),
        "valid_other_batches": text(
            {
                "format_version": 1,
                "window": 1,
                "batch": -1,
                "passed_over": {
                    "after": {"epoch": 1, "window": 0, "batch": 3},
                    "last": {"epoch": 1, "window": 1, "batch": 0},
                },
            }
        ).replace('  "pairs": 212,\n', ""),
        "valid_never_skipped": text({"skipped": 0, "passed_over": None}),
        "damaged_passed_over": text({"passed_over": {"after": 3}}),
        "damaged_newer": text({"format_version": 999}),
        "damaged_negative": text({"step": -1}),
        "damaged_beyond": text({"step": 2**64 - 1}),
        "damaged_types": text({"best": [], "files": {"model.safetensors": 7}, "corpus": "none"}),
        "damaged_missing": '{\n  "format_version": 1' + CHECKSUM,
        "damaged_list": "[" * 300 + "]" * 300 + CHECKSUM,
        "damaged_cut": text({})[:400],
    }
    for name, content in files.items():
        write("state", name, content)


def config():
    data = "data:\n  train: {source: a.en, target: [a.de]}\n"
    demo = (SEEDS.parents[2] / "configs" / "demo.yaml").read_text()
    files = {
        "valid_demo": "".join(line for line in demo.splitlines(True) if not line.startswith("#")),
        "valid_small": data,
        "valid_quoted": data + "vocabulary: {path: \"a \\\"b\\\"\\t.model\", size: 800}\nseed: 7\n",
        "damaged_range": data + "model:\n  size: 99999999999999999999\n  heads: -1\n",
        "damaged_unknown": data + "trian:\n  max_steps: 1e4\n",
        "damaged_twice": data + "seed: 1\nseed: 2\n",
        "damaged_alias": "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
        "damaged_nested": "a: " + "[" * 300 + "]" * 300 + "\n",
        "damaged_tag": data + "seed: !!int 7\n",
        "damaged_block": data + "model: |\n  size\n",
        "damaged_document": data + "---\nseed: 1\n",
        "damaged_quote": data + "seed: '1\n",
        "damaged_utf8": data.encode() + b"seed: \xff\n",
        "damaged_tab": data + "model:\n\tsize: 64\n",
    }
    for name, content in files.items():
        write("config", name, content)


FAULTS = (
    "nul invalid_utf8 byte_order_mark carriage_return line_separator control_character "
    "empty_source empty_target empty_both source_too_long target_too_long length_ratio copy "
    "duplicate in_training"
).split()


def token_cache():
    def summary(pairs, totals, **changes):
        source, target, longest_source, longest_target = totals
        place = {"file": "train.en", "line": 3}
        found = {name: {"count": 0, "examples": []} for name in FAULTS}
        found["empty_source"] = {"count": 1, "examples": [place]}
        found["invalid_utf8"] = {"count": 9, "examples": [{**place, "byte": 7}]}
        found["duplicate"] = {"count": 1, "examples": [{**place, "like": place}]}
        drift = {"source": place, "target": place, "pairs": 80, "shift": -2}
        whole = {
            "fingerprint": "0123456789abcdef",
            "ids_hash": "@ids@",
            "index_hash": "@index@",
            "pairs": pairs,
            "source_pieces": source,
            "target_pieces": target,
            "longest_source": longest_source,
            "longest_target": longest_target,
            "report": {"read": 3, "kept": 2, "faults": found, "drifts": [drift]},
        }
        return json.dumps({**whole, **changes})

    def cache(line, index, ids):
        entries = b"".join(struct.pack("<QQII", *entry) for entry in index)
        return line.encode() + b"\n" + struct.pack("<H", len(index)) + entries + ids

    totals = (5, 3, 3, 2)
    index = [(0, 1, 3, 1), (4, 2, 2, 2)]
    narrow = struct.pack("<8H", *range(100, 900, 100))
    wide = struct.pack("<8I", 100, 200, 300, 99999, 500, 600, 70000, 800)
    files = {
        "valid_narrow": cache(summary(2, totals), index, narrow),
        "valid_wide": cache(summary(2, totals), index, wide),
        "valid_empty": cache(summary(0, (0, 0, 0, 0)), [], b""),
        "damaged_counts": cache(summary(2, (5, 4, 3, 2)), index, narrow),
        "damaged_pairs": cache(summary(3, totals), index, narrow),
        "damaged_negative": cache(summary(-1, totals), index, narrow),
        "damaged_overflow": cache(summary(2**61, (0, 0, 0, 0)), [], b""),
        "damaged_index": cache(summary(2, totals), [index[0], (2**63, 2, 2**31, 2)], narrow),
        "damaged_length": cache(summary(1, totals), [(0, 1, 2**32 - 1, 2**32 - 1)], narrow),
        "damaged_ids": cache(summary(2, totals), index, b"\xff" * 16),
        "damaged_cut": cache(summary(2, totals), index, narrow[:-1]),
        "damaged_types": cache(summary("2", totals, report={}), index, narrow),
        "damaged_shift": cache(
            summary(2, totals).replace('"shift": -2', '"shift": 1e300'), index, narrow
        ),
        "damaged_hash": cache(summary(2, totals, ids_hash="zz"), index, narrow),
    }
    for name, content in files.items():
        write("token_cache", name, content)


def text():
    lines = "A man sleeps.\n\nÜber den Fluß \u2028 \U0001f600\r\nno end of line".encode()
    packed = gzip.compress(lines, mtime=0)
    files = {
        "valid_plain": lines,
        "valid_empty": b"",
        "valid_gzip": packed,
        "valid_members": packed + gzip.compress(b"another member\n", mtime=0) + b"\0\0\0",
        "damaged_gzip_cut": packed[:-9],
        "damaged_gzip_flipped": packed[:20] + bytes([packed[20] ^ 0x10]) + packed[21:],
        "damaged_gzip_tail": packed + b"tail",
        "damaged_nul": b"a\0b\n",
        "damaged_overlong": b"fine\n\xc0\xaf\n",
        "damaged_surrogate": b"\xed\xa0\x80",
        "damaged_beyond": b"\xf4\x90\x80\x80",
        "damaged_cut_character": b"12345678\xe2\x82",
        "damaged_latin1": "Flüsse\n".encode("latin-1"),
    }
    for name, content in files.items():
        write("text", name, content)


if __name__ == "__main__":
    safetensors()
    state()
    config()
    token_cache()
    text()
