#include "config/value_kinds.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace calque {
namespace {

using Kind = YamlEntry::Kind;

/// A text as YAML that reads back as the same text: bare where that is safe, in quotes elsewhere.
std::string yaml_text(const std::string& text) {
  const auto is_safe = [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '/' || c == '-';
  };
  const bool looks_like_word = text.find_first_of("./") != std::string::npos && text[0] != '-';
  if (looks_like_word && std::all_of(text.begin(), text.end(), is_safe)) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      quoted += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

bool is_text(const YamlEntry& entry) {
  return entry.kind == Kind::kPlain || entry.kind == Kind::kQuoted;
}

/// The whole of a plain value as a number.
template <class T>
std::optional<T> read_number(const YamlEntry& entry) {
  if (entry.kind != Kind::kPlain) return std::nullopt;
  const std::string& text = entry.texts.front();
  T value;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::string Integer::expected() const {
  if (most_ == std::numeric_limits<int64_t>::max()) {
    return fmt::format("an integer, {} or more", least_);
  }
  return fmt::format("an integer from {} to {}", least_, most_);
}

std::optional<int64_t> Integer::read(const YamlEntry& entry) const {
  const std::optional<int64_t> value = read_number<int64_t>(entry);
  if (!value || *value < least_ || *value > most_) return std::nullopt;
  if (fmt::format("{}", *value) != entry.texts.front()) return std::nullopt;  // 007, -0
  return value;
}

std::string unfit_message(const Integer& kind, const YamlEntry& entry) {
  const std::string message = unfit_message<Integer>(kind, entry);
  YamlEntry digits = entry;
  for (std::string& text : digits.texts) std::erase(text, '_');
  const std::optional<double> number = read_number<double>(digits);
  constexpr double kMostExact = 9007199254740992;  // 2^53: all integers up to here are doubles
  if (!number || !(std::abs(*number) <= kMostExact) || std::trunc(*number) != *number) {
    return message;
  }
  digits.texts = {fmt::format("{}", static_cast<int64_t>(*number))};
  if (!kind.read(digits)) return message;
  return fmt::format("{}; write {}", message, digits.texts.front());
}

std::string Integer::write(int64_t value) const { return fmt::format("{}", value); }
std::string Integer::write(uint64_t value) const { return fmt::format("{}", value); }

std::string Number::expected() const {
  if (std::isinf(most_)) {
    return least_open_ ? fmt::format("a number above {}", least_)
                       : fmt::format("a number, {} or more", least_);
  }
  if (least_open_) return fmt::format("a number above {}, up to {}", least_, most_);
  if (most_open_) return fmt::format("a number from {} to below {}", least_, most_);
  return fmt::format("a number from {} to {}", least_, most_);
}

std::optional<double> Number::read(const YamlEntry& entry) const {
  const std::optional<double> value = read_number<double>(entry);
  if (!value || !std::isfinite(*value)) return std::nullopt;
  if (*value < least_ || (least_open_ && *value == least_)) return std::nullopt;
  if (*value > most_ || (most_open_ && *value == most_)) return std::nullopt;
  return value;
}

std::string Number::write(double value) const { return fmt::format("{}", value); }

std::string Boolean::expected() const { return "true or false"; }

std::optional<bool> Boolean::read(const YamlEntry& entry) const {
  if (entry.kind != Kind::kPlain) return std::nullopt;
  if (entry.texts.front() == "true") return true;
  if (entry.texts.front() == "false") return false;
  return std::nullopt;
}

std::string Boolean::write(bool value) const { return value ? "true" : "false"; }

std::string Path::expected() const { return "a path"; }

std::optional<std::string> Path::read(const YamlEntry& entry) const {
  if (!is_text(entry)) return std::nullopt;
  return entry.texts.front();
}

std::string Path::write(const std::string& value) const { return yaml_text(value); }

std::string PathList::expected() const { return "a path or a list of paths"; }

std::optional<std::vector<std::string>> PathList::read(const YamlEntry& entry) const {
  if (!is_text(entry) && entry.kind != Kind::kList) return std::nullopt;
  const auto is_empty = [](const std::string& path) { return path.empty(); };
  if (std::any_of(entry.texts.begin(), entry.texts.end(), is_empty)) return std::nullopt;
  return entry.texts;
}

std::string PathList::write(const std::vector<std::string>& value) const {
  if (value.size() == 1) return yaml_text(value.front());
  std::string list = "[";
  for (size_t i = 0; i < value.size(); ++i) list += (i > 0 ? ", " : "") + yaml_text(value[i]);
  return list + "]";
}

std::string expected_one_of(const std::vector<std::string>& names) {
  std::string text = "one of ";
  for (size_t i = 0; i < names.size(); ++i) text += (i > 0 ? ", " : "") + names[i];
  return text;
}

}  // namespace calque
