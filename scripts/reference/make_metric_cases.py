#!/usr/bin/env python3
"""Writes tests/fixtures/metrics/cases.json: what sacreBLEU says about small made-up corpora.

The tests of src/metrics compare their own numbers with these. Run it from the repository's root,
with exactly this version, when a case is added:

    python3 -m venv .venv && .venv/bin/pip install sacrebleu==2.6.0
    .venv/bin/python scripts/reference/make_metric_cases.py

All text is made here, by a fixed seed, so the file comes out the same every time. It holds
  version     of sacreBLEU
  whitespace  the code points up to U+FFFF at which Python's str.split() cuts
  tokenized   [{line, 13a, intl, zh, char, tercom}]: a line and its words by each tokeniser, one
              space between two of them
  trimmed     [{line, trimmed}]: a line and the same after Python's str.rstrip()
  lowered     [{line, lowered}]: a line and the same after Python's str.lower()
  corpora     [{name, hypotheses, references}]; references are one list of lines per annotator
  scores      [{corpus, metric, options, score, line, signature, ...}]: a corpus' number, and what
              a metric with these options of sacreBLEU's class says about it
"""

import json
import random
from pathlib import Path

import sacrebleu
from sacrebleu.metrics import BLEU, CHRF, TER
from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a
from sacrebleu.tokenizers.tokenizer_char import TokenizerChar
from sacrebleu.tokenizers.tokenizer_intl import TokenizerV14International
from sacrebleu.tokenizers.tokenizer_ter import TercomTokenizer
from sacrebleu.tokenizers.tokenizer_zh import TokenizerZh

SACREBLEU_VERSION = "2.6.0"
OUTPUT = Path(__file__).resolve().parents[2] / "tests" / "fixtures" / "metrics" / "cases.json"

SENTENCES = [
    "The old lighthouse keeper counts the ships in the harbour every evening.",
    "\"Come in,\" she said, \"the tea isn't cold yet.\"",
    "It cost $1,299.50, i.e. 3.5% more than in 2019-2020.",
    "Die Brücke wurde 1887 gebaut, und zwar von 12 Männern.",
    "Où est l'hôtel ? Là-bas, près de la gare (ligne 4).",
    "Tom & Ann's well-known café opens at 7:30 a.m. on weekdays.",
    "Write to office@example.org or see http://example.org/a_b?c=1&d=2.",
    "No, no, no, no: the red ball, not the blue one!",
    "If x < 3 and y > 4, then x/y is less than 0.75.",
    "Das Mädchen, das gestern kam, hat die Äpfel nicht gegessen.",
    "Three dogs run; two cats sleep; one bird sings.",
    "Er fragte: »Wie spät ist es?« – »Halb drei …«",
    "The 7-year-old read pages 3-9 and 12-15 of the book.",
    "A very long way, a very long road, and a very long day.",
    "東京 は 日本 の 首都 です 。",
    "Привет, мир: это – проба № 5.",
    "The train leaves at ten past six from platform nine.",
    "Yes.",
    "Good morning!",
    "We saw 😀 and 🚀🚀 in the message.",
]

TOKENIZER_LINES = [
    "", " ", "\t", "\u00a0", ".", ",", "-", "'", "..", "...", ",,", ".,.,", "--", "1.", ".1", "1.2",
    "1,2", "1.2.3", "1,000,000.00", "1-2", "1--2", "a-b", "1-a", "a-1", "-1", "1-", "a.b", "a.1",
    "1.a", "1..2", "1.,2", "a..b", "5.-6", "3.5%", "$3.5", "(3.5)", "[a]", "{b}", "a/b", "a\\b",
    "don't", "dogs'", "''quoted''", "``quoted''", "a_b", "a^b", "a~b", "a|b", "a`b", "x=1", "x+1",
    "#tag", "@name", "a*b", "100%", "&", "&amp;", "&quot;", "&lt;", "&gt;", "&amp;lt;",
    "&amp;amp;", "&amp;quot;", "&quot;a&quot;", "&lt;b&gt;", "&nbsp;", "&apos;", "&AMP;", "&amp",
    "<skipped>", "a<skipped>b", "<skipped> a", "<skip<skipped>ped>", "&lt;skipped&gt;",
    "-<skipped>\n", "hyphen-\nated", "two\nlines", "end-\n", "a-\n\nb", "end.\n", "\n", "a\r\nb",
    "caf\u00e9.", "\u00e9.\u00e9", "\u00e9,1", "1,\u00e9", "\u4f60\u597d\u3002", "\u0663.\u0664",
    "\u0663-1", "\u201cq\u201d", "a\u2026", "a\u2013b", "a\u00a0b", "a\u3000b", "a\u2028b",
    "a\u200bb", "a\u0085b", "a\x1cb", "a\x1fb", "a\x00b", "a\x0bb", "\U0001f600.", "\ufeffa",
    ". \u00a0.", "1 .5", "1. 5", "e.g., this", "U.S.A.", "p.m.,", "1st.", "v1.2-3", "10-12,5-7.",
]

LOWER_LINES = ["", "ÄÖÜ ẞ ß", "İstanbul I i ı", "ΣΑΣ ΑΣ. Σ", "ǅ ǈ", "\u2168", "\U00010400", "Ⓐ"]


def random_line(rng: random.Random, characters: str, longest: int) -> str:
    return "".join(rng.choice(characters) for _ in range(rng.randint(1, longest)))


def fuzz_lines(rng: random.Random) -> list[str]:
    ascii_all = "".join(chr(c) for c in range(1, 127))
    tight = "ab01.,-'&; "
    mixed = "a1.,-é½ß€漢😀\u00a0\u0085\u2003\u2028\u202f\u205f\u3000\u1680\u180e\u200b\ufeff 5\""
    pieces = ["&amp;", "&quot;", "&lt;", "&gt;", "<skipped>", "-\n", "\n", "1", ".", ",", "a", "-",
              " ", "quot;", "skipped"]
    lines = [random_line(rng, ascii_all, 30) for _ in range(50)]
    lines += [random_line(rng, tight, 14) for _ in range(50)]
    lines += [random_line(rng, mixed, 18) for _ in range(50)]
    lines += ["".join(rng.choice(pieces) for _ in range(rng.randint(1, 9))) for _ in range(40)]
    return lines


def noisy(rng: random.Random, line: str, rate: float) -> str:
    """`line` with about `rate` of its words dropped, doubled, swapped, recased or changed."""
    words = line.split(" ")
    result: list[str] = []
    for word in words:
        if rng.random() >= rate:
            result.append(word)
            continue
        kind = rng.randrange(7)
        if kind == 0:
            continue
        if kind == 1:
            result += [word, word]
        elif kind == 2 and result:
            result.insert(len(result) - 1, word)
        elif kind == 3:
            result.append(word.swapcase())
        elif kind == 4:
            result.append(word.rstrip(".,!?:;") or word)
        elif kind == 5:
            result.append(rng.choice(rng.choice(SENTENCES).split(" ")))
        else:
            result.append(word + rng.choice([".", ",", " -", "\t", "\u00a0", "&quot;", "-", "'s",
                                             "..1"]))
    return " ".join(result)


def fixed_corpora() -> list[tuple[str, list[str], list[list[str]]]]:
    """Corner cases: (name, hypotheses, references)."""
    four, long = "a b c d", SENTENCES[0]
    numbered = " ".join(f"w{i}" for i in range(120))
    return [
        ("identical", SENTENCES, [SENTENCES]),
        ("all wrong", ["one two three four five"], [["six seven eight nine ten"]]),
        ("empty hypothesis", [""], [["the cat sat on the mat"]]),
        ("empty reference", ["the cat sat on the mat"], [[""]]),
        ("both empty", [""], [[""]]),
        ("only spaces", ["   "], [["\u00a0\t "]]),
        ("empty hypothesis among others", ["", long], [[long, long]]),
        ("empty reference among others", [long, long], [[long, ""]]),
        ("both empty among others", [long, "", SENTENCES[16]], [[long, "", SENTENCES[16]]]),
        ("one word, equal", ["Yes"], [["Yes"]]),
        ("one word, different", ["Yes"], [["No"]]),
        ("one-word lines", ["Yes", "No", "Maybe"], [["Yes", "No", "Never"]]),
        ("one word and its full stop", ["Yes."], [["Yes."]]),
        ("three words", ["a b c"], [["a b c"]]),
        ("three words against ten", ["a b c"], [["a b c d e f g h i j"]]),
        ("short lines and one of four words", ["a b c", four], [["a b c", four]]),
        ("four words, equal", [four], [[four]]),
        ("four words, one matches", ["a x y z"], [[four]]),
        ("four words, reversed", ["d c b a"], [[four]]),
        ("two orders without match", ["a b x c d y a b"], [["a b z c d w b c"]]),
        ("three orders without match", ["a x b y c z d w"], [["d v c v b v a v"]]),
        ("clipped repetition", ["the the the the the the the"], [["the cat is on the mat"]]),
        ("clipped by the richer reference", ["the the the the cat"],
         [["the cat is on the mat"], ["the the the dog"]]),
        ("case differs", [long.upper()], [[long]]),
        ("case differs in one word", ["the" + long[3:]], [[long]]),
        ("hypothesis too short", [" ".join(long.split()[:6])], [[long]]),
        ("hypothesis much too short", ["The old"], [[long]]),
        ("hypothesis too long", [long + " " + SENTENCES[16]], [[long]]),
        ("closest reference, tie goes to the shorter", ["a b c d e f"],
         [["a b c d e f g h"], ["a b c d"]]),
        ("closest reference, tie in the other order", ["a b c d e f"],
         [["a b c d"], ["a b c d e f g h"]]),
        ("closest reference of three", ["a b c d e f"],
         [["a b c"], ["a b c d e f g"], ["a b c d e f g h i"]]),
        ("one of two references empty", ["a b c d"], [[""], ["a b c d e"]]),
        ("references share the match", ["a b c d e f"], [["a b c x y z"], ["u v w d e f"]]),
        ("full stop apart or not", ["It works ."], [["It works."]]),
        ("quotes and entities", ["&quot;Tom &amp; Ann&quot; &lt;b&gt; it is"],
         [["\"Tom & Ann\" <b> it is"]]),
        ("numbers", ["1,299.50 and 3.5% in 2019-2020"], [["1,299.5 and 3,5 % in 2019 - 2020"]]),
        ("tabs and no-break spaces", ["the\tcat\u00a0sat on\u3000the mat\u00a0"],
         [["the cat sat on the mat"]]),
        ("separators of every kind", ["a\u0085b\x1cc\u2028d\u1680e\u205ff"], [["a b c d e f"]]),
        ("no space at all", ["\u200ba b c d"], [["a b c d"]]),
        ("trailing white space", [long + " \u3000\t"], [["  " + long]]),
        ("hyphen before the newline at the end", ["one two three four-\n"],
         [["one two three four-"]]),
        ("skipped mark", ["<skipped>the cat sat on the mat"], [["the cat sat on the mat"]]),
        ("two code points or one", ["cafe\u0301 au lait et pain"], [["caf\u00e9 au lait et pain"]]),
        ("other scripts", SENTENCES[14:16], [[SENTENCES[15], SENTENCES[14]]]),
        ("one letter", ["a"] * 5, [["a", "b", "a", "b", "a"]]),
        ("a long line", [" ".join(SENTENCES) * 3], [[" ".join(reversed(SENTENCES)) * 3]]),
        ("marks that tokenising twice sets apart", ["a..1", "U.S..5 b", "c"] * 3,
         [["q a..1", "U.S..5 x", "1..1"] * 3]),
        ("one word against 120", ["w60"], [[numbered]]),
        ("two words against 120", ["w119 w0"], [[numbered]]),
        ("120 words against one", [numbered], [["w60"]]),
        ("more shifts than are tried", [" ".join(f"w{i**3 % 23}" for i in range(300))],
         [[" ".join(f"w{i**2 % 23}" for i in range(300))]]),
    ]


def random_corpora(rng: random.Random) -> list[tuple[str, list[str], list[list[str]]]]:
    corpora = []
    for number in range(32):
        sources = rng.choices(SENTENCES, k=rng.randint(1, 12))
        rate = rng.choice([0.05, 0.15, 0.3, 0.6])
        annotators = rng.choice([1, 1, 1, 2, 3, 4])
        references = [[noisy(rng, s, rate / 2) if a else s for s in sources]
                      for a in range(annotators)]
        hypotheses = [noisy(rng, s, rate) for s in sources]
        if number % 4 == 0:
            hypotheses[rng.randrange(len(hypotheses))] = ""
        corpora.append((f"noise {number}, references {annotators}", hypotheses, references))
    return corpora


# Options of sacreBLEU's classes. The first of each metric is scored on every corpus, the others on
# every third.
OPTIONS = [
    (BLEU, [
        {"tokenize": "13a"},
        {"tokenize": "none"},
        {"tokenize": "intl"},
        {"tokenize": "zh"},
        {"tokenize": "char"},
        {"tokenize": "13a", "lowercase": True},
        {"tokenize": "13a", "smooth_method": "none"},
        {"tokenize": "13a", "smooth_method": "floor"},
        {"tokenize": "13a", "smooth_method": "floor", "smooth_value": 0.25},
        {"tokenize": "13a", "smooth_method": "add-k"},
        {"tokenize": "13a", "smooth_method": "add-k", "smooth_value": 0.5},
        {"tokenize": "13a", "effective_order": True},
        {"tokenize": "intl", "smooth_method": "add-k", "effective_order": True, "lowercase": True},
    ]),
    (CHRF, [
        {},
        {"word_order": 2},
        {"lowercase": True},
        {"whitespace": True, "word_order": 2},
        {"char_order": 4, "beta": 3},
        {"char_order": 4, "word_order": 1, "beta": 3},
    ]),
    (TER, [
        {},
        {"case_sensitive": True},
        {"normalized": True},
        {"no_punct": True},
        {"normalized": True, "no_punct": True, "case_sensitive": True},
    ]),
]


def score_case(corpus: int, metric, options: dict, hypotheses: list[str],
               references: list[list[str]]) -> dict:
    result = metric.corpus_score(hypotheses, references)
    case = {
        "corpus": corpus,
        "metric": type(metric).__name__,
        "options": options,
        "score": result.score,
        "line": result.format(),
        "signature": f"{result.name}|{metric.get_signature()}",
    }
    if isinstance(metric, BLEU):
        case |= {
            "precisions": result.precisions,
            "brevity_penalty": result.bp,
            "ratio": result.ratio,
            "hypothesis_length": result.sys_len,
            "reference_length": result.ref_len,
            "matches": result.counts,
            "totals": result.totals,
        }
    return case


def score_cases(corpora) -> list[dict]:
    cases = []
    for kind, all_options in OPTIONS:
        for number, options in enumerate(all_options):
            for index, (_, hypotheses, references) in enumerate(corpora):
                if number == 0 or (index + number) % 3 == 0:
                    metric = kind(**options)
                    cases.append(score_case(index, metric, options, hypotheses, references))
    return cases


TOKENIZERS = {
    "13a": Tokenizer13a(),
    "intl": TokenizerV14International(),
    "zh": TokenizerZh(),
    "char": TokenizerChar(),
    "tercom": TercomTokenizer(normalized=True, case_sensitive=True),
}


def tokenized(line: str) -> dict:
    words = {name: " ".join(tokenizer(line).split()) for name, tokenizer in TOKENIZERS.items()}
    return {"line": line} | words


def python_whitespace() -> list[int]:
    return [c for c in range(0x10000) if len(f"a{chr(c)}b".split()) == 2]


def to_json(cases: dict) -> str:
    """JSON in ASCII with one line per case, so that a changed case is one changed line."""
    parts = []
    for key, value in cases.items():
        text = json.dumps(value)
        if isinstance(value, list) and isinstance(value[0], dict):
            text = "[\n" + ",\n".join(json.dumps(case) for case in value) + "\n]"
        parts.append(f"{json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def main() -> None:
    if sacrebleu.__version__ != SACREBLEU_VERSION:
        raise SystemExit(f"this needs sacreBLEU {SACREBLEU_VERSION}, found "
                         f"{sacrebleu.__version__}: pip install sacrebleu=={SACREBLEU_VERSION}")
    rng = random.Random(20)
    lines = TOKENIZER_LINES + SENTENCES + fuzz_lines(rng)
    corpora = fixed_corpora() + random_corpora(rng)
    scores = score_cases(corpora)
    cases = {
        "version": sacrebleu.__version__,
        "whitespace": python_whitespace(),
        "tokenized": [tokenized(line) for line in lines],
        "trimmed": [{"line": line, "trimmed": line.rstrip()}
                    for line in lines if line != line.rstrip()],
        "lowered": [{"line": line, "lowered": line.lower()}
                    for line in [*LOWER_LINES, *SENTENCES]],
        "corpora": [{"name": name, "hypotheses": hypotheses, "references": references}
                    for name, hypotheses, references in corpora],
        "scores": scores,
    }
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(to_json(cases), encoding="ascii")
    print(f"{OUTPUT}: {len(scores)} scores of {len(corpora)} corpora, {len(lines)} lines")


if __name__ == "__main__":
    main()
