#pragma once

#include <string>

namespace calque {

/// The name of the processor, "Intel(R) Xeon(R) Gold 6248 CPU @ 2.50GHz"; "unknown processor" where
/// the system does not tell it.
std::string processor_name();

}  // namespace calque
