#!/usr/bin/env python3
"""Reports on the translations of the demo's test: accuracy per phenomenon, and ten examples.

usage: demo_report.py SOURCE REFERENCE HYPOTHESIS PHENOMENA

A line of PHENOMENA names what its sentence tests, separated by spaces. A translation is right when
it equals the reference.
"""

import sys
from collections import Counter

EXAMPLES = 10


def read_lines(path):
    with open(path, encoding="utf-8") as file:
        return file.read().split("\n")[:-1]


def print_accuracy(right, phenomena):
    seen, correct = Counter(), Counter()
    for is_right, tags in zip(right, phenomena):
        for tag in set(tags.split()) | {"all sentences"}:
            seen[tag] += 1
            correct[tag] += is_right
    width = max(map(len, seen))
    print("\nSentences translated exactly as in the reference, by what they test:")
    for tag in sorted(seen, key=lambda tag: (tag == "all sentences", tag)):
        percent = 100 * correct[tag] / seen[tag]
        print(f"  {tag:<{width}}  {correct[tag]:4} of {seen[tag]:4}  {percent:5.1f} %")


def print_examples(source, reference, hypothesis, right):
    print("\nHeld-out sentences, spread over the test (= as the reference, x not):")
    for number in range(EXAMPLES):
        line = number * len(source) // EXAMPLES
        print(f"\n  source       {source[line]}")
        print(f"  reference    {reference[line]}")
        print(f"{'=' if right[line] else 'x'} translation  {hypothesis[line]}")


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    files = [read_lines(path) for path in sys.argv[1:]]
    if len(set(map(len, files))) != 1:
        counts = ", ".join(f"{path}: {len(file)}" for path, file in zip(sys.argv[1:], files))
        sys.exit(f"demo_report: the files differ in their number of lines ({counts})")
    source, reference, hypothesis, phenomena = files
    right = [ours == theirs for ours, theirs in zip(hypothesis, reference)]
    print_accuracy(right, phenomena)
    print_examples(source, reference, hypothesis, right)


if __name__ == "__main__":
    main()
