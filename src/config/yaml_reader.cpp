#include "config/yaml_reader.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "base/error.h"
#include "base/file.h"

namespace calque {
namespace {

using Kind = YamlEntry::Kind;

/// Some checks take time that grows with the square of a text; up to here, about a second.
constexpr size_t kLargestConfig = size_t{256} << 10;

/// A line of a source, counted from 1.
Place line_of(const Place& source, int line) {
  return {source.source, source.names_key ? 0 : line, source.names_key};
}

/// The line that holds a byte of the text.
Place line_of_byte(const Place& source, const std::string& text, size_t offset) {
  const auto end = text.begin() + static_cast<std::ptrdiff_t>(offset);
  return line_of(source, 1 + static_cast<int>(std::count(text.begin(), end, '\n')));
}

std::vector<std::string> split_lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// Builds entries from the parser's events. The parser's document tree would not do: it keeps the
/// last of two equal keys in silence and does not tell "1" from 1.
class EntryBuilder : public YAML::EventHandler {
 public:
  EntryBuilder(const std::string& text, const Place& source, Mistakes& mistakes)
      : lines_(split_lines(text)), source_(source), mistakes_(mistakes) {}

  std::vector<YamlEntry> take_entries() { return std::move(entries_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
    value(place_of(mark), Kind::kNothing, "");
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    mistakes_.add(place_of(mark), "", "aliases are not supported; write the value itself");
    value(place_of(mark), Kind::kNothing, "");
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                const std::string& text) override {
    const Place place = place_of(mark);
    check_tag(place, tag);
    const bool quoted = tag == "!";
    if (!on_one_line(mark, quoted, text)) {
      mistakes_.add(place, "", "a text must begin and end on one line, quotes included");
    }
    value(place, quoted ? Kind::kQuoted : Kind::kPlain, text);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    check_tag(place_of(mark), tag);
    open(place_of(mark), false);
  }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    check_tag(place_of(mark), tag);
    open(place_of(mark), true);
  }

  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

 private:
  /// A block or list that is open.
  struct Frame {
    bool is_block;
    std::string prefix;    // of a block's keys: "train."
    size_t list = 0;       // the entry of a list
    bool has_key = false;  // of a block: a key was read, its value comes next
    bool usable = false;   // the key may have an entry
    std::string key;       // the full key
    Place key_place;
  };

  std::vector<std::string> lines_;
  Place source_;
  Mistakes& mistakes_;
  std::vector<YamlEntry> entries_;
  std::map<std::string, Place> seen_;
  std::vector<Frame> frames_;
  int skipped_ = 0;  // depth inside something without entries

  Place place_of(const YAML::Mark& mark) const { return line_of(source_, mark.line + 1); }

  void check_tag(const Place& place, const std::string& tag) {
    if (!tag.empty() && tag != "?" && tag != "!") {
      mistakes_.add(place, "", fmt::format("tags are not supported: {}", tag));
    }
  }

  /// Whether a text ends on the line where it begins. The parser joins lines and, at the end of the
  /// file, forgives a quote that is not closed.
  bool on_one_line(const YAML::Mark& mark, bool quoted, const std::string& text) const {
    if (mark.line < 0 || static_cast<size_t>(mark.line) >= lines_.size()) return false;
    const std::string& line = lines_[static_cast<size_t>(mark.line)];
    if (!quoted) return line.find(text) != std::string::npos;
    const size_t open = std::min(static_cast<size_t>(std::max(mark.column, 0)), line.size());
    const size_t quote = line.find_first_of("'\"", open);
    return quote != std::string::npos && line.find(line[quote], quote + 1) != std::string::npos;
  }

  void value(const Place& place, Kind kind, const std::string& text) {
    if (skipped_ > 0) return;
    if (frames_.empty()) {
      mistakes_.add(place, "",
                    "expected keys with values (key: value), found " +
                        YamlEntry{"", place, kind, {text}}.found());
      return;
    }
    Frame& frame = frames_.back();
    if (!frame.is_block) {
      YamlEntry& list = entries_[frame.list];
      if (kind == Kind::kNothing) list.kind = Kind::kMixed;
      list.texts.push_back(text);
    } else if (!frame.has_key) {
      read_key(frame, place, kind, text);
    } else {
      add_entry(frame, kind, {text});
      frame.has_key = false;
    }
  }

  void read_key(Frame& frame, const Place& place, Kind kind, const std::string& text) {
    frame.has_key = true;
    frame.key = frame.prefix + text;
    frame.key_place = place;
    frame.usable = kind != Kind::kNothing;
    if (!frame.usable) mistakes_.add(place, "", "expected a key in front of the colon");
    const auto [first, is_new] = seen_.emplace(frame.key, place);
    if (frame.usable && !is_new) {
      frame.usable = false;
      mistakes_.add(place, frame.key,
                    fmt::format("given twice, first on line {}", first->second.line));
    }
  }

  void add_entry(const Frame& frame, Kind kind, std::vector<std::string> texts) {
    if (frame.usable) entries_.push_back({frame.key, frame.key_place, kind, std::move(texts)});
  }

  void open(const Place& place, bool is_block) {
    if (skipped_ > 0) {
      ++skipped_;
    } else if (frames_.empty()) {
      open_document(place, is_block);
    } else if (!frames_.back().is_block) {
      entries_[frames_.back().list].kind = Kind::kMixed;
      skipped_ = 1;
    } else if (!frames_.back().has_key) {
      mistakes_.add(place, "", "expected a key in front of the colon, found a block or list");
      frames_.back().has_key = true;
      frames_.back().usable = false;
      skipped_ = 1;
    } else {
      open_value(frames_.back(), is_block);
    }
  }

  void open_document(const Place& place, bool is_block) {
    if (is_block) {
      frames_.push_back({.is_block = true, .prefix = "", .key = "", .key_place = place});
      return;
    }
    mistakes_.add(place, "", "expected keys with values (key: value), found a list");
    skipped_ = 1;
  }

  void open_value(Frame& parent, bool is_block) {
    parent.has_key = false;
    if (!parent.usable) {
      skipped_ = 1;
      return;
    }
    add_entry(parent, is_block ? Kind::kBlock : Kind::kList, {});
    const std::string prefix = parent.key + ".";
    const Place place = parent.key_place;
    frames_.push_back({.is_block = is_block,
                       .prefix = prefix,
                       .list = entries_.size() - 1,
                       .key = "",
                       .key_place = place});
  }

  void close() {
    if (skipped_ > 0) {
      --skipped_;
    } else {
      frames_.pop_back();
    }
  }
};

/// Text that is no config whatever it says: too large, not UTF-8, or with control characters (the
/// parser takes U+0004 for the end of the file).
bool check_bytes(const std::string& text, const Place& source, Mistakes& mistakes) {
  if (text.size() > kLargestConfig) {
    mistakes.add(source, "",
                 fmt::format("{} bytes are too many for a config; expected {} at most", text.size(),
                             kLargestConfig));
    return false;
  }
  if (const size_t bad = find_invalid_utf8(text); bad != std::string::npos) {
    mistakes.add(line_of_byte(source, text, bad), "", "not valid UTF-8");
    return false;
  }
  const auto is_control = [](unsigned char c) {
    return (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f;
  };
  const auto control = std::find_if(text.begin(), text.end(), is_control);
  if (control == text.end()) return true;
  mistakes.add(line_of_byte(source, text, static_cast<size_t>(control - text.begin())), "",
               fmt::format("control character U+{:04X}", static_cast<unsigned char>(*control)));
  return false;
}

std::string syntax_message(const std::vector<std::string>& lines, const YAML::Exception& error) {
  const auto index = static_cast<size_t>(std::max(error.mark.line, 0));
  if (index < lines.size()) {
    const size_t end = lines[index].find_first_not_of(" \t");
    if (lines[index].substr(0, end).find('\t') != std::string::npos) {
      return "a tab in the indentation; YAML indents with spaces";
    }
  }
  return "not YAML: " + error.msg;
}

}  // namespace

std::string YamlEntry::found() const {
  switch (kind) {
    case Kind::kPlain:
      return texts.front();
    case Kind::kQuoted:
      return fmt::format("the text \"{}\"", texts.front());
    case Kind::kList:
      return "a list";
    case Kind::kBlock:
      return "a block of keys";
    case Kind::kNothing:
      return "nothing";
    case Kind::kMixed:
      return "a list of more than texts";
  }
  throw InternalError("YamlEntry: unknown kind");
}

std::vector<YamlEntry> read_yaml(const std::string& text, const Place& source, Mistakes& mistakes) {
  if (!check_bytes(text, source, mistakes)) return {};
  EntryBuilder builder(text, source, mistakes);
  std::istringstream stream(text);
  try {
    YAML::Parser parser(stream);
    parser.HandleNextDocument(builder);
    Mistakes unused;
    EntryBuilder rest(text, source, unused);
    if (parser.HandleNextDocument(rest)) {
      mistakes.add(source, "", "holds a second document (---); a config is one");
    }
  } catch (const YAML::Exception& error) {
    mistakes.add(line_of(source, error.mark.line + 1), "",
                 syntax_message(split_lines(text), error));
    return {};
  }
  return builder.take_entries();
}

}  // namespace calque
