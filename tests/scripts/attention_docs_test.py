"""The plain code in docs/attention.md does what is said beside it."""

import math
import random
import re
import unittest
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs/attention.md"


def code():
    """The names that the indented blocks of the page define."""
    names = {**vars(math), **vars(random)}
    for block in re.findall(r"(?:^    .*\n|^\n(?=    ))+", DOCS.read_text(encoding="utf-8"), re.M):
        lines = [line[4:] for line in block.strip("\n").splitlines()]
        if lines[0].startswith("def "):
            exec("\n".join(lines), names)
    return names


class AttentionDocsTest(unittest.TestCase):
    SCORES = (0.5, 2.0, -1.0, 1.75)

    def setUp(self):
        self.__dict__.update(code())

    def near(self, found, expected):
        self.assertEqual(len(found), len(expected))
        for one, other in zip(found, expected):
            self.assertAlmostEqual(one, other)

    def test_scores(self):
        self.assertEqual(self.dot([1, 2], [3, 4]), 11)
        self.assertEqual(self.scaled_dot([1, 2, 0, 0], [3, 4, 0, 0]), 5.5)
        self.assertEqual(self.general([[1, 2], [0, 1]])([1, 3], [5, 7]), 7 * 5 + 3 * 7)
        self.assertAlmostEqual(self.additive([2, 3])([1, 0], [0, 4]),
                               2 * math.tanh(1) + 3 * math.tanh(4))

    def test_scopes(self):
        def seen(sees):
            return [j for j in range(7) if sees(j)]
        self.assertEqual(seen(self.everything()), list(range(7)))
        self.assertEqual(seen(self.local(4, 1)), [3, 4, 5])
        self.assertEqual(seen(self.local(4, 1, 2)), [0, 1, 3, 4, 5])
        self.assertEqual(seen(self.strided(4, 2, 0)), [2, 3, 4, 5, 6])
        self.assertEqual(seen(self.strided(4, 2, 1)), [0, 2, 4, 6])
        self.assertEqual(seen(self.monotonic(20, 2, 7)), [4, 5, 6])
        self.assertEqual(seen(self.predictive(2.5, 1)), [2, 3])

    def test_normalisers(self):
        # Conditions of the optimum: weights of the right power above one threshold, and 0 below it.
        for normalize, root in ((self.sparsemax, lambda p: p),
                                (self.entmax15, lambda p: 2 * math.sqrt(p))):
            weights = normalize(self.SCORES)
            self.assertAlmostEqual(sum(weights), 1)
            thresholds = [s - root(p) for s, p in zip(self.SCORES, weights) if p > 0]
            self.near(thresholds, thresholds[:1] * len(thresholds))
            for score, weight in zip(self.SCORES, weights):
                self.assertTrue(weight > 0 or score <= thresholds[0])
            self.assertEqual(weights[2], 0)
            self.near(normalize([3.0] * 4), [0.25] * 4)
            self.near(normalize([-7.0]), [1])
        self.near([math.log(p) - s for p, s in zip(self.softmax(self.SCORES), self.SCORES)],
                  [-math.log(sum(map(math.exp, self.SCORES)))] * 4)

    def test_selections(self):
        self.assertEqual(self.highest([0.2, 0.4, 0.4]), [0, 1, 0])
        random.seed(1)
        drawn = [self.drawn([0.7, 0.0, 0.3]) for _ in range(20000)]
        self.near([round(sum(column) / len(drawn), 1) for column in zip(*drawn)], [0.7, 0, 0.3])
        self.near(self.gaussian(2, 2, [1, 2])([0.5, 0.5]), [0.5 * math.exp(-0.5), 0.5])

    def test_attend(self):
        keys, values = [[0.0], [1.0], [2.0]], [[1, 5], [2, 5], [30, 5]]
        found = self.attend([1.0], keys, values, self.dot, self.local(0, 1), self.softmax)
        p = 1 / (1 + math.e)
        self.near(found, [p + 2 * (1 - p), 5])
        self.near(self.attend([1.0], keys, values, self.dot, self.everything(), self.sparsemax,
                              self.highest), [30, 5])


if __name__ == "__main__":
    unittest.main()
