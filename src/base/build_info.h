#pragma once

#include <string>

namespace calque {

/// The widest vector instruction set that this binary was compiled for: "AVX-512", "AVX2", ...;
/// results are equal bit by bit only between binaries where it is equal.
std::string instruction_set();

}  // namespace calque
