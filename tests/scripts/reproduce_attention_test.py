"""scripts/reproduce/attention.sh with a program in calque's place that writes what calque would, or
asks calque itself (REAL) whether it takes a training's settings."""

import os
import shutil
import unittest

from reproduction import ROOT, ReproductionTest

CALQUE = """
if words[0] == "train":
    if "REAL" in os.environ:
        small = ("vocabulary.size=200", "train.batch_tokens=256", "validation.beam=1")
        sets = [word for setting in small for word in ("--set", setting)]
        checked = subprocess.run([os.environ["REAL"], *words, *sets, "--dry-run", "--quiet"])
        sys.exit(checked.returncode or 3)
    run = Path(value("--run"))
    entropy = {place: [[1.0, 2.0]] for place in ("encoder_self", "decoder_self", "decoder_cross")}
    (run / "metrics.jsonl").write_text(
        json.dumps({"step": 500, "validation_loss": 9.0, "attention_entropy": {}}) + "\\n" +
        json.dumps({"step": 1500, "validation_loss": 2.5, "attention_entropy": entropy}) + "\\n" +
        json.dumps({"step": 1500, "loss": 3.0}) + "\\n")
    (run / "latest").write_text("step-1500\\n")
elif words[0] == "inspect":
    print(json.dumps({"parameters": 12345}))
elif words[0] == "evaluate":
    print(json.dumps({"metrics": [{"score": 81.5, "confidence_half_width": 0.9}]}))
elif "--faithfulness" in words:
    print(json.dumps({"removed": [
        {"word": "attended", "over_random": 2.0, "over_random_standard_error": 0.25}]}))
elif words[0] == "attention":
    print(json.dumps({"source": {"words": ["a", "<b>"]}, "target": {"words": ["c"]},
                      "alignment": {"weights": [[0.25, 0.75]]}}))
elif words[0] == "bench":
    speed = 900 if "model.positions=rotary" in words else 1000
    print(json.dumps({"tokens_per_second": speed, "memory_bytes": {owner: 1e7 for owner in (
        "parameters", "parameter_gradients", "optimizer", "activations", "activation_gradients",
        "scratch", "process_peak")}}))
"""


class AttentionTest(ReproductionTest):
    script = "attention.sh"
    program = CALQUE

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

    @unittest.skipUnless("CALQUE" in os.environ, "CALQUE: the program")
    def test_calque_takes_the_settings_of_every_kind(self):
        shutil.copytree(ROOT / "configs", self.folder / "configs")
        (self.folder / "data/demo").mkdir(parents=True)
        for text in ("train.en", "train.de", "validation.en", "validation.de"):
            lines = (ROOT / "data/demo" / text).read_text().splitlines(keepends=True)
            (self.folder / "data/demo" / text).write_text("".join(lines[:100]))
        self.reproduce("--no-speed", "demo", REAL=os.path.abspath(os.environ["CALQUE"]))
        self.assertIn("diverged: demo/scaled_dot", self.found.stderr)  # as all, once checked
        self.assertEqual(self.found.returncode, 3, self.found.stderr)

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
