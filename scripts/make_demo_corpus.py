#!/usr/bin/env python3
"""Writes the English-German demo corpus: python3 scripts/make_demo_corpus.py [FOLDER]

FOLDER is data/demo by default. The output is the same, byte by byte, on every machine. Needs
nothing but Python's standard library.
"""

import sys
from pathlib import Path

from demo_corpus.corpus import make_splits, write_splits
from demo_corpus.readme import write_readme


def main():
    default = Path(__file__).resolve().parent.parent / "data" / "demo"
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else default
    folder.mkdir(parents=True, exist_ok=True)
    splits = make_splits()
    write_splits(splits, folder)
    write_readme(splits, folder)
    for name, entries in splits.items():
        print(f"{folder / name}.{{en,de,phenomena}}: {len(entries)} pairs")


if __name__ == "__main__":
    main()
