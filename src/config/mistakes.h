#pragma once

#include <set>
#include <string>
#include <vector>

namespace calque {

/// Where a value of a config comes from: a line of a file, or an option of the command line.
struct Place {
  std::string source;      // "configs/demo.yaml" or "--set train.learning_rate"
  int line = 0;            // counts from 1; 0: the source as a whole
  bool names_key = false;  // the source says which key it is about

  /// "configs/demo.yaml:12", or the source alone.
  std::string text() const;
};

/// Collects what is wrong with a config, so that all of it is said at once.
class Mistakes {
 public:
  /// `key` is the full key that is wrong; empty when it is none.
  void add(const Place& place, const std::string& key, const std::string& message);

  bool empty() const { return mistakes_.empty(); }
  /// Whether a mistake with this key was added: then its value means nothing.
  bool concern(const std::string& key) const { return keys_.count(key) > 0; }

  /// Throws UserError with every mistake, "place: key: message", in the order of the lines; does
  /// nothing when there is none. `file` heads a list of several.
  void throw_if_any(const std::string& file) const;

 private:
  struct Mistake {
    Place place;
    std::string text;
  };
  std::vector<Mistake> mistakes_;
  std::set<std::string> keys_;
};

}  // namespace calque
