"""scripts/reproduce/attention.sh with a program in calque's place that writes what calque would."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"

# Writes down its command; fails, with FAIL's exit status, at the command that FAIL begins with.
CALQUE = f"""#!{sys.executable}
import json, os, sys
from pathlib import Path

words = sys.argv[1:]
with open("calls", "a") as calls:
    calls.write(" ".join(words) + "\\n")
failing, _, status = os.environ.get("FAIL", "").partition(" ")
if failing and failing in words:
    print("{{")
    sys.exit(int(status))
if words[0] == "train":
    run = Path(words[words.index("--run") + 1])
    entropy = {{place: [[1.0, 2.0]] for place in ("encoder_self", "decoder_self", "decoder_cross")}}
    (run / "metrics.jsonl").write_text(
        json.dumps({{"step": 500, "validation_loss": 9.0, "attention_entropy": {{}}}}) + "\\n" +
        json.dumps({{"step": 1500, "validation_loss": 2.5, "attention_entropy": entropy}}) + "\\n" +
        json.dumps({{"step": 1500, "loss": 3.0}}) + "\\n")
    (run / "latest").write_text("step-1500\\n")
elif words[0] == "inspect":
    print(json.dumps({{"parameters": 12345}}))
elif words[0] == "evaluate":
    print(json.dumps({{"metrics": [{{"score": 81.5, "confidence_half_width": 0.9}}]}}))
elif "--faithfulness" in words:
    print(json.dumps({{"removed": [
        {{"word": "attended", "over_random": 2.0, "over_random_standard_error": 0.25}}]}}))
elif words[0] == "attention":
    print(json.dumps({{"source": {{"words": ["a", "<b>"]}}, "target": {{"words": ["c"]}},
                      "alignment": {{"weights": [[0.25, 0.75]]}}}}))
elif words[0] == "bench":
    speed = 900 if "model.positions=rotary" in words else 1000
    print(json.dumps({{"tokens_per_second": speed, "memory_bytes": {{owner: 1e7 for owner in (
        "parameters", "parameter_gradients", "optimizer", "activations", "activation_gradients",
        "scratch", "process_peak")}}}}))
"""


class AttentionTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)
        shutil.copytree(SCRIPTS / "reproduce", self.folder / "scripts/reproduce")
        self.write("scripts/get_multi30k.sh", "#!/bin/sh\n")
        self.write("a folder/calque", CALQUE)

    def write(self, name, text):
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o755)

    def reproduce(self, *words, **environment):
        """The calls of calque that it made."""
        (self.folder / "calls").write_text("")
        program = str(self.folder / "a folder/calque")
        self.found = subprocess.run(
            [self.folder / "scripts/reproduce/attention.sh", *words], capture_output=True,
            text=True, env={**os.environ, "CALQUE": program, **environment})
        return (self.folder / "calls").read_text().splitlines()

    def commands(self, *words, **environment):
        return [call.split()[0] for call in self.reproduce(*words, **environment)]

    def table(self, corpus):
        return (self.folder / f"runs/attention/{corpus}.md").read_text()

    def test_stopped_anywhere_it_goes_on(self):
        calls = ["train", "inspect", "evaluate", "attention", "attention", "bench", "bench"]
        for stop in ("train", "inspect", "evaluate", "attention", "bench"):
            made = calls[:calls.index(stop) + 1]
            skipped = [call for call in made[:-1] if call not in ("train", "inspect")]
            self.reproduce("demo/rotary", FAIL=f"{stop} 4")
            again = self.commands("demo/rotary", FAIL=f"{stop} 4")
            self.assertEqual(self.found.returncode, 4, stop)
            self.assertEqual(again, [call for call in made if call not in skipped])
        self.assertEqual(self.commands("demo/rotary"), ["train", "inspect", "bench", "bench"])
        self.assertEqual(self.found.returncode, 0, self.found.stderr)
        self.assertEqual(self.commands("demo/rotary"), ["train", "inspect"])

    def test_a_row_tells_what_was_measured(self):
        self.reproduce("--no-speed", "demo/rotary", "multi30k/rotary", "multi30k/scaled_dot")
        row = "| `rotary` | 12,345 | 2.500 | 81.50 ± 0.90 | 1.50 1.50 1.50 | 2.00 ± 0.25 |"
        self.assertIn(f"{row} - | - | - |\n", self.table("demo"))
        calls = self.reproduce("multi30k")
        self.assertIn(f"{row} 900 | 0.90 | 60 |\n", self.table("multi30k"))
        self.assertLess(self.table("multi30k").index("scaled_dot"),
                        self.table("multi30k").index("rotary"))
        picture = (self.folder / "runs/attention/alignment_scaled_dot.svg").read_text()
        self.assertIn(">&lt;b&gt;</text>", picture)
        self.assertIn('fill-opacity="0.750"', picture)
        trained = [call for call in calls if call.startswith("train")]
        self.assertGreaterEqual(len(trained), 8)
        sparse = next(call for call in trained if "/sparsemax" in call)
        for block in ("encoder.self", "decoder.self", "decoder.cross"):
            self.assertIn(f"--set model.{block}_attention.normalizer=sparsemax", sparse)

    def test_every_kind_of_the_demo_is_known(self):
        calls = self.reproduce("--no-speed", "demo")
        self.assertEqual(self.found.returncode, 0, self.found.stderr)
        trained = [call.partition("train.log_attention=true")[2]
                   for call in calls if call.startswith("train")]
        self.assertGreater(len(trained), 20)
        self.assertEqual(len(set(trained)), len(trained))  # each sets something else

    def test_one_that_diverges_has_no_row(self):
        self.reproduce("demo/deep", "demo/none", FAIL="runs/attention/demo/deep 3")
        self.assertEqual(self.found.returncode, 3, self.found.stderr)
        self.assertIn("diverged: demo/deep;", self.found.stderr)
        self.assertNotIn("deep", self.table("demo"))
        self.assertIn("`none`", self.table("demo"))

    def test_an_unknown_kind_is_named_before_anything_is_trained(self):
        for word in ("rotry", ""):
            self.assertEqual(self.reproduce("demo/rotary", f"demo/{word}"), [])
            self.assertEqual(self.found.returncode, 2)
            self.assertIn(f"found {word or 'demo/'}", self.found.stderr)


if __name__ == "__main__":
    unittest.main()
