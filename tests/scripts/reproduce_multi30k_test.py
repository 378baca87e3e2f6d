"""scripts/reproduce/multi30k.sh with a program in calque's place that writes what calque would."""

import unittest

from reproduction import ReproductionTest

CALQUE = """
steps = os.environ.get("STEPS", "100")
if words[0] == "train":
    run = Path(value("--run"))
    run.mkdir(parents=True, exist_ok=True)
    precision = next(word for word in words if word.startswith("train.precision="))
    (run / "config.yaml").write_text(
        "train:\\n  moving_average: 0\\n  precision: " + precision.partition("=")[2] + "\\n")
    (run / "metrics.jsonl").write_text(
        json.dumps({"step": int(steps), "loss": 4.0, "tokens_per_second": 20000}) + "\\n")
    (run / "latest").write_text("step-" + steps + "\\n")
elif words[0] == "average":
    Path(value("--output")).mkdir()
elif words[0] == "inspect":
    print(json.dumps({"parameters": 10, "model": words[1],
                      "state": {"source_tokens": 1, "target_tokens": 1}}))
elif words[0] == "evaluate":
    print(json.dumps({"metrics": [
        {"score": 41.0, "confidence_half_width": 0.9, "signature": "BLEU"}]}))
"""


class Multi30kTest(ReproductionTest):
    script = "multi30k.sh"
    program = CALQUE

    def setUp(self):
        super().setUp()
        self.run_folder = self.folder / "runs/reproduce/paper/seed1"

    def results(self):
        return (self.folder / "runs/reproduce/results.md").read_text()

    def test_stopped_anywhere_it_goes_on(self):
        words = ("--seeds", "1", "paper")
        for command in ("train", "average", "inspect", "evaluate"):
            self.reproduce(*words, FAIL=f"{command} 4")
            self.assertEqual(self.found.returncode, 4, command)
            self.assertFalse((self.run_folder / "test.json").exists())
        self.assertEqual(self.commands(*words), ["train", "inspect", "evaluate", "evaluate"])
        self.assertEqual(self.found.returncode, 0, self.found.stderr)
        self.assertIn("| paper |", self.results())
        self.assertEqual(self.commands(*words), ["train", "inspect"])

    def test_a_training_that_went_on_is_evaluated_again(self):
        words = ("--seeds", "1", "paper")
        self.reproduce(*words)
        self.assertEqual(self.commands(*words, STEPS="200"),
                         ["train", "average", "inspect", "evaluate", "evaluate"])
        self.assertIn("average_step-200", (self.run_folder / "model.json").read_text())

    def test_a_training_that_diverges_keeps_none_of_the_others(self):
        calls = self.reproduce("--seeds", "1 2", "paper", FAIL="runs/reproduce/paper/seed1 3")
        self.assertEqual(self.found.returncode, 3)
        self.assertIn("diverged: paper/seed1;", self.found.stderr)
        self.assertEqual(len([call for call in calls if call.startswith("evaluate")]), 2)
        self.assertIn("| 2 |", self.results())

    def test_a_config_that_tells_no_moving_average_is_an_error(self):
        plain = self.calque.read_text()
        self.calque.write_text(plain.replace("moving_average: 0", "label_smoothing: 0"))
        self.assertEqual(self.commands("--seeds", "1", "paper"), ["train"])
        self.assertEqual(self.found.returncode, 2)
        self.assertIn("config.yaml does not tell train.moving_average", self.found.stderr)

    def test_a_variation_is_screened_with_one_seed_on_the_validation_text_alone(self):
        calls = self.reproduce("screen/rotary+r_drop")
        self.assertEqual(self.found.returncode, 0, self.found.stderr)
        trainings = [call for call in calls if call.startswith("train")]
        self.assertEqual(len(trainings), 1)
        for setting in ("model.positions=rotary", "train.r_drop=5", "train.schedule=cosine", "seed=1"):
            self.assertIn(f"--set {setting} ", trainings[0] + " ")
        evaluations = [call for call in calls if call.startswith("evaluate")]
        self.assertEqual(len(evaluations), 1)
        self.assertIn("/val.lc.norm.tok.en", evaluations[0])
        table = (self.folder / "runs/reproduce/screen.md").read_text()
        self.assertIn("| rotary, r_drop | 10 | 0 | 41.00 ± 0.90 | 1 |", table)

    def test_a_variation_that_is_not_known_is_an_error(self):
        self.assertEqual(self.reproduce("screen/rotary+rotari"), [])
        self.assertEqual(self.found.returncode, 2)
        self.assertIn("found rotari", self.found.stderr)

    def test_the_precision_of_the_first_training_is_kept(self):
        def precisions(*words):
            return [call.partition("train.precision=")[2].split()[0]
                    for call in self.reproduce("--seeds", "1", "paper", *words)
                    if call.startswith("train")]
        slow, fast = "bfloat16   float32, slow", "bfloat16   AMX"
        plain = self.calque.read_text()
        for unit, words, expected in ((slow, (), "float32"), (fast, (), "float32"),
                                      (slow, ("--precision", "bfloat16"), "bfloat16"),
                                      (slow, (), "bfloat16")):
            self.calque.write_text(plain + f'if words[0] == "version":\n    print("{unit}")\n')
            self.assertEqual(precisions(*words), [expected])


if __name__ == "__main__":
    unittest.main()
