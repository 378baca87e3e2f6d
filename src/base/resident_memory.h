#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace calque {

/// Bytes of this process's resident memory that are pages of mapped files (or shared memory). The
/// greatest number where the system does not tell. Allocates nothing.
int64_t resident_file_bytes();

/// Lets go of the pages of a mapped file that `mapped` touches: they no longer count as this
/// process's memory, and come back when they are read.
void drop_pages(std::span<const std::byte> mapped);

/// Says that a mapped file is read here and there, so that reading a page brings no others along.
void expect_random_reads(std::span<const std::byte> mapped);

}  // namespace calque
