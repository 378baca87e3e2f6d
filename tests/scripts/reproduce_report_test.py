"""scripts/reproduce/report.py on trainings made up here."""

import json
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "scripts/reproduce/report.py"


def write_run(folder, bleu, finished=True, precision="float32"):
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(f"train:\n  precision: {precision}\n")
    lines = [{"step": step, "loss": 9 - step / 100, "tokens_per_second": speed}
             for step, speed in ((100, 20000), (200, 60000))]
    lines += [{"step": step, "validation_bleu": step / 10} for step in (100, 200)]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    if not finished:
        return
    state = {"source_tokens": 2_000_000, "target_tokens": 1_600_000}
    (folder / "model.json").write_text(json.dumps({"parameters": 2605056, "state": state}))
    for split, score in (("validation", bleu + 1), ("test", bleu)):
        metric = {"score": score, "confidence_half_width": 0.9, "signature": "BLEU|tok:none"}
        (folder / f"{split}.json").write_text(json.dumps({"metrics": [metric]}))


def report(folder):
    return subprocess.run([sys.executable, SCRIPT, folder], capture_output=True, text=True)


class ReportTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)

    def test_a_row_is_the_mean_of_its_finished_seeds(self):
        write_run(self.folder / "paper/seed1", 41.0)
        write_run(self.folder / "paper/seed2", 42.0, precision="bfloat16")
        write_run(self.folder / "paper/seed3", 0, finished=False)
        write_run(self.folder / "raw/seed1", 0, finished=False)
        self.assertEqual(report(self.folder).returncode, 0)
        table = (self.folder / "results.md").read_text()
        # 3.6 million tokens at the harmonic mean of 20,000 and 60,000 a second.
        self.assertIn("| paper | 2,605,056 | float32, bfloat16 | 2 | 30,000 | "
                      "42.50 (42.00 to 43.00) | 41.50 (41.00 to 42.00) | ± 0.90, 0.90 | 1, 2 |", table)
        self.assertIn("- paper: `BLEU|tok:none`", table)
        self.assertNotIn("| raw |", table)

    def test_a_teacher_counts_among_the_minutes(self):
        run = self.folder / "recipe/seed1"
        write_run(run, 42.0)
        write_run(run / "teacher", 40.0, finished=False)
        checkpoint = run / "teacher/checkpoints/step_00000200"
        checkpoint.mkdir(parents=True)
        (checkpoint / "state.json").write_text('{"source_tokens": 900000, "target_tokens": 900000}')
        work = {"sentences": 9000, "seconds": 90}
        (run / "teacher/translations.json").write_text(
            json.dumps({"checkpoint": "step_00000200", "teacher_steps": 200,
                        "translations": {"forward_1": work, "backward_1": work}}))
        report(self.folder)
        table = (self.folder / "results.md").read_text()
        # 2 of its own, 1 of the teacher's updates, 3 of its translations.
        self.assertIn("| recipe | 2,605,056 | float32 | 6 | 30,000 | 43.00 | 42.00 |", table)

    def test_rows_stand_in_the_order_in_which_they_are_made_by_default(self):
        for row in ("raw", "another", "paper", "french", "recipe"):
            write_run(self.folder / row / "seed1", 41.0)
        report(self.folder)
        table = (self.folder / "results.md").read_text()
        rows = [line.split()[1] for line in table.splitlines() if line.startswith("| ")]
        self.assertEqual(rows, ["training", "paper", "recipe", "raw", "french", "another"])

    def test_variations_stand_by_their_validation(self):
        for name, bleu in (("tiny", 39.0), ("rotary+r_drop", 41.0), ("rotary", 40.0)):
            write_run(self.folder / "screen" / name / "seed1", bleu)
            (self.folder / "screen" / name / "seed1/test.json").unlink()
        write_run(self.folder / "screen/post/seed1", 0, finished=False)
        self.assertEqual(report(self.folder).returncode, 0)
        self.assertFalse((self.folder / "results.md").exists())
        rows = (self.folder / "screen.md").read_text().splitlines()[2:]
        self.assertEqual(rows[0], "| rotary, r_drop | 2,605,056 | 2 | 42.00 ± 0.90 | 1 |")
        self.assertEqual([row.split(" | ")[0] for row in rows],
                         ["| rotary, r_drop", "| rotary", "| tiny"])

    def test_every_training_has_a_curve_of_each_kind(self):
        write_run(self.folder / "paper/seed1", 41.0)
        write_run(self.folder / "raw/seed1", 40.0, finished=False)
        report(self.folder)
        root = ElementTree.parse(self.folder / "curves.svg").getroot()
        curves = [line for line in root.iter("{http://www.w3.org/2000/svg}polyline")
                  if "stroke-opacity" in line.attrib]
        self.assertEqual(len(curves), 4)
        words = {text.text for text in root.iter("{http://www.w3.org/2000/svg}text")}
        self.assertLessEqual({"paper", "raw"}, words)

    def test_a_training_that_was_stopped_before_its_end_has_no_row_yet(self):
        write_run(self.folder / "paper/seed1", 41.0)
        for name in ("model", "validation", "test"):
            write_run(self.folder / f"{name}/seed1", 40.0)
            (self.folder / f"{name}/seed1/{name}.json").unlink()
        found = report(self.folder)
        self.assertEqual(found.returncode, 0, found.stderr)
        table = (self.folder / "results.md").read_text()
        self.assertIn("| paper |", table)
        self.assertNotIn("| 40.00 |", table)

    def test_a_last_line_of_metrics_that_was_cut_off_is_left_out(self):
        write_run(self.folder / "paper/seed1", 41.0)
        with open(self.folder / "paper/seed1/metrics.jsonl", "a") as metrics:
            metrics.write('{"step": 300, "lo')
        found = report(self.folder)
        self.assertEqual(found.returncode, 0, found.stderr)
        self.assertIn("| 30,000 |", (self.folder / "results.md").read_text())

    def test_a_folder_without_trainings_is_refused(self):
        found = report(self.folder)
        self.assertEqual(found.returncode, 1)
        self.assertIn("no training", found.stderr)


if __name__ == "__main__":
    unittest.main()
