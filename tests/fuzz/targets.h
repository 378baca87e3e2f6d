#pragma once

#include <span>
#include <string_view>

namespace calque::fuzz {

// What libFuzzer calls with bytes of its own making, one function for each reader of files. Each
// returns whether the bytes were accepted; refusing them (UserError, BadCache) is fine. Any other
// exception is a finding: the reader let through what it promises not to.

/// A safetensors file; also with the length of its header made right.
bool safetensors(std::string_view bytes);
/// `state.json`, its checksum made right. What is accepted must be written as it was read.
bool state(std::string_view bytes);
/// A config. What is accepted must be written as it was read.
bool config(std::string_view bytes);
/// A token cache, its checksums made right: the line of the summary, where `@ids@` and `@index@`
/// stand for the hashes; two bytes, how many pairs; their entries; then the ids.
bool token_cache(std::string_view bytes);
/// A text file, plain or gzip; plain text must be the same when it comes packed.
bool text(std::string_view bytes);

/// All of them by the names of their folders below `seeds`.
struct Target {
  std::string_view name;
  bool (*run)(std::string_view bytes);
};
inline constexpr Target kTargets[] = {{"safetensors", safetensors},
                                      {"state", state},
                                      {"config", config},
                                      {"token_cache", token_cache},
                                      {"text", text}};

}  // namespace calque::fuzz
