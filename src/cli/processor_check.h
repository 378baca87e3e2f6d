#pragma once

namespace calque {

/// Which of the instruction sets in `required` (names as in base/version.h, ended by a null
/// pointer) are not available. `available(name)` tells about one. Writes their names to `missing`,
/// at most `capacity` of them, and returns how many it wrote.
int missing_instructions(const char* const* required, bool (*available)(const char* name),
                         const char** missing, int capacity);

/// Whether this processor and its operating system can run the named instruction set. A name that
/// is not in the table counts as available. On other processors than x86 always true.
bool processor_has(const char* name);

}  // namespace calque
