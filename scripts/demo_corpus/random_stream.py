"""Random numbers that are the same on every machine and in every Python version."""

MASK = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15


def mix(value):
    """The finaliser of SplitMix64 (Steele, Lea and Flood 2014): 64 well mixed bits of `value`."""
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & MASK
    return value ^ (value >> 31)


class RandomStream:
    """The numbers of one sentence: a function of the seed and of the sentence's index."""

    def __init__(self, seed, index):
        self._state = mix((mix(seed) + index * GOLDEN) & MASK)

    def below(self, bound):
        """A whole number from 0 to bound - 1."""
        self._state = (self._state + GOLDEN) & MASK
        return (mix(self._state) * bound) >> 64

    def chance(self, percent):
        """True in `percent` of a hundred cases."""
        return self.below(100) < percent

    def choice(self, items):
        """One item of a sequence, each equally likely."""
        return items[self.below(len(items))]

    def weighted(self, table):
        """One key of a dictionary {item: weight}, in proportion to its weight."""
        left = self.below(sum(table.values()))
        for item, weight in table.items():
            left -= weight
            if left < 0:
                return item
        raise AssertionError("the weights are whole numbers of at least zero")
