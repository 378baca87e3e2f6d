#!/usr/bin/env python3
"""Checks that src keeps to its floors.

A file may include files of its own folder and of lower floors. It may not include a higher floor,
another folder of the same floor, or, over any number of steps, itself. Only base/parallel.cpp may
speak to OpenMP. Prints every breach and exits with 1 when there is one.

usage: check_floors.py [ROOT]    ROOT is the folder that holds src, by default that of this checkout
"""

import re
import sys
from pathlib import Path

FLOORS = [  # lowest first; folders of one floor never include each other
    ["base"],
    ["tensor"],
    ["kernels"],
    ["autograd"],
    ["nn", "text"],
    ["model", "data"],
    ["decode", "optim", "checkpoint", "metrics"],
    ["analysis"],
    ["train"],
    ["config", "bench"],
    ["export"],
    ["cli"],
]
OPENMP_FILE = "base/parallel.cpp"
GENERATED = {"base/version.h"}

FLOOR_OF = {folder: number for number, folders in enumerate(FLOORS, 1) for folder in folders}
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"')
OPENMP = re.compile(r"""
    ^\s*\#\s*pragma\s+omp\b            # the directive,
    | \b_Pragma\s*\(\s*"omp\b          # the same inside a macro,
    | ^\s*\#\s*include\s*[<"]omp\.h    # the header,
    | \bomp_[a-z]+_[a-z_]+\s*\(         # a call
    """, re.VERBOSE)


def read_includes(src, breaches):
    """Returns {file: [(line number, included file)]}, with names relative to src."""
    includes = {}
    for path in sorted(src.rglob("*")):
        if path.suffix not in (".h", ".cpp"):
            continue
        name = path.relative_to(src).as_posix()
        includes[name] = []
        for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
            if found := INCLUDE.match(line):
                includes[name].append((number, found[1]))
            if OPENMP.search(line) and name != OPENMP_FILE:
                breaches.append(f"{name}:{number}: OpenMP belongs into {OPENMP_FILE} alone")
    return includes


def check_folders(src, breaches):
    for path in sorted(src.iterdir()):
        if path.is_dir() and path.name not in FLOOR_OF:
            breaches.append(f"{path.name}/: this folder is in no floor of check_floors.py")
        if path.suffix in (".h", ".cpp"):
            breaches.append(f"{path.name}: sources live in the folder of a floor")


def check_include(name, number, target, includes, breaches):
    where = f"{name}:{number}: includes {target}"
    if target not in includes and target not in GENERATED:
        breaches.append(f"{where}, which is not a file under src")
        return
    here, there = name.split("/")[0], target.split("/")[0]
    if here not in FLOOR_OF or there not in FLOOR_OF or here == there:
        return
    if FLOOR_OF[there] > FLOOR_OF[here]:
        breaches.append(f"{where}, but {there} (floor {FLOOR_OF[there]}) is above {here} "
                        f"(floor {FLOOR_OF[here]})")
    elif FLOOR_OF[there] == FLOOR_OF[here]:
        breaches.append(f"{where}, but {there} and {here} share a floor")


def check_circles(includes, breaches):
    done = set()

    def visit(name, trail):
        if name in trail:
            circle = trail[trail.index(name):] + [name]
            breaches.append("circle: " + " -> ".join(circle))
        elif name not in done:
            for _, target in includes.get(name, []):
                visit(target, trail + [name])
            done.add(name)

    for name in includes:
        visit(name, [])


def main():
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    src = root / "src"
    if not src.is_dir():
        sys.exit(f"check_floors: {src} is not a folder")
    breaches = []
    check_folders(src, breaches)
    includes = read_includes(src, breaches)
    for name, lines in includes.items():
        for number, target in lines:
            check_include(name, number, target, includes, breaches)
    check_circles(includes, breaches)
    print("\n".join(breaches or [f"check_floors: {len(includes)} files keep to their floors"]))
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
