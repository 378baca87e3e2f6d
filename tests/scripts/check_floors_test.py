"""What check_floors.py lets pass, and what it finds."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "check_floors.py"


def check(files):
    """Runs the script on a tree of these files, {name under src: text}; returns (exit code, output)."""
    with tempfile.TemporaryDirectory() as root:
        for name, text in files.items():
            path = Path(root, "src", name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        done = subprocess.run([sys.executable, SCRIPT, root], capture_output=True, text=True)
        return done.returncode, done.stdout


class CheckFloors(unittest.TestCase):
    def assert_breach(self, files, text):
        code, output = check(files)
        self.assertEqual(code, 1, output)
        self.assertIn(text, output)

    def test_downward_includes_pass(self):
        code, output = check({
            "base/error.h": "",
            "tensor/shape.h": '#include "base/error.h"\n#include <vector>\n',
            "cli/main.cpp": '#include "tensor/shape.h"\n',
        })
        self.assertEqual(code, 0, output)

    def test_an_upward_include_fails(self):
        self.assert_breach({"nn/linear.h": "", "tensor/shape.h": '#include "nn/linear.h"\n'},
                           "tensor/shape.h:1: includes nn/linear.h, but nn (floor 5) is above")

    def test_an_include_between_folders_of_one_floor_fails(self):
        self.assert_breach({"decode/a.h": "", "optim/b.cpp": '\n#  include "decode/a.h"\n'},
                           "optim/b.cpp:2: includes decode/a.h, but decode and optim share a floor")

    def test_a_circle_inside_a_folder_fails(self):
        self.assert_breach({"nn/a.h": '#include "nn/b.h"\n', "nn/b.h": '#include "nn/a.h"\n'},
                           "circle: nn/a.h -> nn/b.h -> nn/a.h")

    def test_openmp_outside_its_file_fails(self):
        directive = "#pragma omp parallel for\n"
        self.assertEqual(check({"base/parallel.cpp": directive})[0], 0)
        self.assert_breach({"kernels/gemm.cpp": directive}, "kernels/gemm.cpp:1: OpenMP")
        self.assert_breach({"kernels/gemm.cpp": "int n = omp_get_max_threads();\n"}, "OpenMP")

    def test_an_unknown_folder_or_file_fails(self):
        self.assert_breach({"extra/a.h": ""}, "extra/: this folder is in no floor")
        self.assert_breach({"nn/a.h": '#include "nn/none.h"\n'}, "not a file under src")


if __name__ == "__main__":
    unittest.main()
