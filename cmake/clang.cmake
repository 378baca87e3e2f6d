# A toolchain: the newest clang of those that scripts/setup.sh --fuzz knows, else the system's.
find_program(CALQUE_CLANG
  NAMES clang++-19 clang++-18 clang++-17 clang++-16 clang++ REQUIRED)
set(CMAKE_CXX_COMPILER ${CALQUE_CLANG})
