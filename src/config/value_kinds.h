#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "config/yaml_reader.h"

namespace calque {

// What a value of a config may be. Each kind says what it expects ("an integer, 1 or more"), reads
// a value from YAML (nothing when it is of another type or out of range), and writes one so that it
// reads back as the same.

/// Digits, with a minus in front where the range allows it; not 1e4, 1_000, 0x10 or 007.
class Integer {
 public:
  explicit constexpr Integer(int64_t least, int64_t most = std::numeric_limits<int64_t>::max())
      : least_(least), most_(most) {}

  std::string expected() const;
  std::optional<int64_t> read(const YamlEntry& entry) const;
  std::string write(int64_t value) const;
  std::string write(uint64_t value) const;

 private:
  int64_t least_;
  int64_t most_;
};

/// A finite decimal number: 0.3, 5e-4, 2.
class Number {
 public:
  /// From `least` to `most`, both included.
  static constexpr Number from_to(double least, double most) { return {least, false, most, false}; }
  /// From `least` on, and below `bound`.
  static constexpr Number below(double least, double bound) { return {least, false, bound, true}; }
  /// Above `bound`, up to `most`.
  static constexpr Number above(double bound, double most = kUnbounded) {
    return {bound, true, most, false};
  }
  static constexpr Number at_least(double least) { return {least, false, kUnbounded, false}; }

  std::string expected() const;
  std::optional<double> read(const YamlEntry& entry) const;
  std::string write(double value) const;

 private:
  static constexpr double kUnbounded = std::numeric_limits<double>::infinity();
  double least_;
  bool least_open_;  // `least` itself is out of range
  double most_;
  bool most_open_;

  constexpr Number(double least, bool least_open, double most, bool most_open)
      : least_(least), least_open_(least_open), most_(most), most_open_(most_open) {}
};

/// true or false, and no other word for them.
class Boolean {
 public:
  std::string expected() const;
  std::optional<bool> read(const YamlEntry& entry) const;
  std::string write(bool value) const;
};

/// A path, or "" for none.
class Path {
 public:
  std::string expected() const;
  std::optional<std::string> read(const YamlEntry& entry) const;
  std::string write(const std::string& value) const;
};

/// One path or a list of them; [] for none.
class PathList {
 public:
  std::string expected() const;
  std::optional<std::vector<std::string>> read(const YamlEntry& entry) const;
  std::string write(const std::vector<std::string>& value) const;
};

/// The name of a value of an enumeration.
template <class Enum>
struct Choice {
  const char* name;
  Enum value;
};

/// "one of a, b, c", of the names in a config.
std::string expected_one_of(const std::vector<std::string>& names);

/// One of a few names.
template <class Enum>
class OneOf {
 public:
  explicit constexpr OneOf(std::span<const Choice<Enum>> choices) : choices_(choices) {}

  std::string expected() const {
    std::vector<std::string> names;
    for (const Choice<Enum>& choice : choices_) names.emplace_back(choice.name);
    return expected_one_of(names);
  }

  std::optional<Enum> read(const YamlEntry& entry) const {
    for (const Choice<Enum>& choice : choices_) {
      if (entry.kind == YamlEntry::Kind::kPlain && entry.texts.front() == choice.name) {
        return choice.value;
      }
    }
    return std::nullopt;
  }

  std::string write(Enum value) const {
    for (const Choice<Enum>& choice : choices_) {
      if (choice.value == value) return choice.name;
    }
    throw InternalError(
        fmt::format("no name for value {} among {}", static_cast<int>(value), expected()));
  }

 private:
  std::span<const Choice<Enum>> choices_;
};

/// What to say of a value that `kind` does not read: "expected true or false, found yes".
template <class Kind>
std::string unfit_message(const Kind& kind, const YamlEntry& entry) {
  return fmt::format("expected {}, found {}", kind.expected(), entry.found());
}

/// Where an integer is only written in another way, also how to write it: "..., found 1e4; write
/// 10000".
std::string unfit_message(const Integer& kind, const YamlEntry& entry);

}  // namespace calque
