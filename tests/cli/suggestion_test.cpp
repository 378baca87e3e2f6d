#include "cli/suggestion.h"

#include <vector>

#include "support/catch.h"

using calque::nearest_name;

TEST_CASE("the nearest name is found, and none when all are far", "[cli]") {
  const std::vector<std::string> names{"train", "translate", "evaluate", "vocab"};
  CHECK(nearest_name("trian", names) == "train");
  CHECK(nearest_name("tranlsate", names) == "translate");
  CHECK(nearest_name("vocap", names) == "vocab");
  CHECK(nearest_name("frobnicate", names).empty());
  CHECK(nearest_name(std::string(1000, 't'), names).empty());
  CHECK(nearest_name("train", {}).empty());
}
