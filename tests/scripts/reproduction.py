"""What the tests of scripts/reproduce/*.sh share: a copy of the scripts, and a program in calque's
place that writes down its commands and what calque would write."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Fails, with FAIL's exit status, at a command that has the word that FAIL begins with.
BEGINNING = f"""#!{sys.executable}
import json, os, subprocess, sys
from pathlib import Path

words = sys.argv[1:]
value = lambda name: words[words.index(name) + 1]
with open("calls", "a") as calls:
    calls.write(" ".join(words) + "\\n")
failing, _, status = os.environ.get("FAIL", "").partition(" ")
if failing and failing in words:
    print("{{")
    sys.exit(int(status))
"""


class ReproductionTest(unittest.TestCase):
    """A test of `script`; `program` goes on where BEGINNING ends."""

    script = ""
    program = ""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)
        shutil.copytree(ROOT / "scripts/reproduce", self.folder / "scripts/reproduce")
        self.write("scripts/get_multi30k.sh", "#!/bin/sh\n")
        self.calque = self.write("a folder/calque", BEGINNING + self.program)

    def write(self, name, text):
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o755)
        return file

    def reproduce(self, *words, **environment):
        """The calls of calque that the script made."""
        (self.folder / "calls").write_text("")
        self.found = subprocess.run(
            [self.folder / "scripts/reproduce" / self.script, *words], capture_output=True,
            text=True, env={**os.environ, "CALQUE": str(self.calque), **environment})
        return (self.folder / "calls").read_text().splitlines()

    def commands(self, *words, **environment):
        return [call.split()[0] for call in self.reproduce(*words, **environment)
                if not call.startswith("version")]
