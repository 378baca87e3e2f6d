#include "config/known_keys.h"

#include <set>

#include "support/catch.h"

namespace calque {
namespace {

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("an unknown key leads to the known one", "[config]") {
  CHECK(nearest_keys("train.learning_rat") == Names{"train.learning_rate"});
  CHECK(nearest_keys("learning_rate") == Names{"train.learning_rate"});
  CHECK(nearest_keys("model.learning_rate") == Names{"train.learning_rate"});
  CHECK(nearest_keys("batch_tokens") == Names{"train.batch_tokens", "validation.batch_tokens"});
  CHECK(nearest_keys("model.encoder_layers") == Names{"model.encoder.layers"});
  CHECK(nearest_keys("modl.size") == Names{"model.size"});
  CHECK(nearest_keys("trian") == Names{"train"});
  CHECK(nearest_keys("vocab") == Names{"vocabulary"});
  CHECK(nearest_keys("train.warmup") == Names{"train.warmup_steps"});
  CHECK(nearest_keys("qwertyuiop").empty());
  CHECK(nearest_keys(std::string(100000, 'x')).empty());
}

TEST_CASE("blocks know their keys", "[config]") {
  CHECK(is_block("model"));
  CHECK(is_block("model.encoder"));
  CHECK_FALSE(is_block("model.size"));
  CHECK_FALSE(is_block("mod"));
  CHECK(keys_of_block("data.train") == Names{"source", "target"});
  CHECK(keys_of_block("model.dropout") ==
        Names{"embedding", "residual", "attention", "activation", "layer"});
}

TEST_CASE("the help names every key with meaning, type and default", "[config]") {
  const std::string help = help_config();
  std::set<std::string> keys;
  for (const KnownKey& known : known_keys()) {
    CAPTURE(known.key);
    CHECK(keys.insert(known.key).second);
    CHECK_FALSE(known.help.empty());
    CHECK(help.find("\n" + known.key + "\n    " + known.help + "\n    " + known.expected) !=
          std::string::npos);
    CHECK(help.find("default " + known.default_text + ";") != std::string::npos);
  }
  CHECK(help.find(
            "train.max_minutes\n"
            "    Wall time of one call of `calque train`, its last validation and save included; "
            "0: no limit.\n"
            "    a number, 0 or more (minutes); default 0; at resume: may change\n") !=
        std::string::npos);
}

}  // namespace calque
