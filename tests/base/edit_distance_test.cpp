#include "base/edit_distance.h"

#include "support/catch.h"

using calque::edit_distance;

TEST_CASE("edit distance counts insertions, deletions and replacements", "[base]") {
  CHECK(edit_distance("", "") == 0);
  CHECK(edit_distance("", "abc") == 3);
  CHECK(edit_distance("abc", "") == 3);
  CHECK(edit_distance("beam", "beam") == 0);
  CHECK(edit_distance("beam", "beem") == 1);
  CHECK(edit_distance("kitten", "sitting") == 3);
  CHECK(edit_distance("train", "rtain") == 2);
}
