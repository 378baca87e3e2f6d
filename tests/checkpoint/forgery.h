#pragma once

#include <filesystem>
#include <string>

#include "base/file.h"
#include "checkpoint/checkpoint.h"

namespace calque::test {

/// The text of a state without its checksum and end.
inline std::string body_of(const std::string& state) {
  return state.substr(0, state.rfind(",\n  \"checksum\""));
}

/// The reverse, with a right checksum.
inline std::string sealed(const std::string& body) {
  return fmt::format("{},\n  \"checksum\": \"{:016x}\"\n}}\n", body, hash_bytes(body));
}

/// Puts a file into a checkpoint in place of another, as somebody would who knows the format: the
/// sizes and checksums in `state.json` are made right.
inline void forge(const std::filesystem::path& checkpoint, const std::string& file,
                  const std::string& content) {
  CheckpointState state = Checkpoint(checkpoint).state();
  write_file_atomically(checkpoint / file, content);
  state.files[file] = record_file(checkpoint / file);
  write_file_atomically(checkpoint / kStateFile, to_json(state));
}

/// The same with the text of `state.json` itself, without its checksum and end.
inline void forge_state(const std::filesystem::path& checkpoint, const std::string& body) {
  write_file_atomically(checkpoint / kStateFile, sealed(body));
}

}  // namespace calque::test
