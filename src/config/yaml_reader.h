#pragma once

#include <string>
#include <vector>

#include "config/mistakes.h"

namespace calque {

/// One key of a YAML document with its value.
struct YamlEntry {
  enum class Kind {
    kPlain,    // text without quotes: may be a number, true, a word
    kQuoted,   // text in quotes
    kList,     // a list of texts
    kBlock,    // further keys, which follow as entries of their own
    kNothing,  // no value, or null
    kMixed,    // a list that holds lists, blocks or nothing
  };
  std::string key;  // with the blocks around it: "train.learning_rate"
  Place place;      // of the key
  Kind kind;
  std::vector<std::string> texts;  // one, or those of the list

  /// The value as a message shows it: `1e4`, `the text "1"`, `a list`, `nothing`.
  std::string found() const;
};

/// The keys of a YAML document from top to bottom, a block before its keys. Adds to `mistakes` what
/// cannot be read or has no place in a config: broken syntax, keys given twice, aliases, tags,
/// texts over several lines, a second document, bytes that are not UTF-8. `source` is where the
/// text comes from, as a whole; lines are counted unless it names a key.
std::vector<YamlEntry> read_yaml(const std::string& text, const Place& source, Mistakes& mistakes);

}  // namespace calque
