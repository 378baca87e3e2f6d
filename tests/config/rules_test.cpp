#include "config/rules.h"

#include "config/run_config.h"
#include "support/catch.h"

namespace calque {
namespace {

std::vector<IdleSetting> idle(const std::vector<std::string>& settings) {
  const std::string text = "data: {train: {source: a, target: b}}\n";
  return settings_without_effect(parse_config(text, "config.yaml", settings).model);
}

TEST_CASE("what has no effect in an attention is told", "[config]") {
  const std::string encoder = "model.encoder.self_attention.";
  const std::string cross = "model.decoder.cross_attention.";
  const auto drawn_by = [&](const std::string& estimator) {
    return cross + "selection: hard and " + cross + "estimator: " + estimator;
  };
  CHECK(idle({encoder + "window=8"}) ==
        std::vector<IdleSetting>{{encoder + "window", "8", encoder + "scope: local or strided"}});
  CHECK(
      idle({cross + "window=8"}) ==
      std::vector<IdleSetting>{{cross + "window", "8", cross + "scope: monotonic or predictive"}});
  CHECK(idle({cross + "temperature=0.9", cross + "temperature_steps=5"}) ==
        std::vector<IdleSetting>{{cross + "temperature", "0.9", drawn_by("straight_through")},
                                 {cross + "temperature_steps", "5", drawn_by("straight_through")}});
  CHECK(idle({cross + "selection=hard", cross + "estimator=reinforce",
              cross + "last_temperature=0.1"})
            .size() == 1);
  CHECK(idle({cross + "selection=hard", cross + "reinforce_weight=1"}) ==
        std::vector<IdleSetting>{{cross + "reinforce_weight", "1", drawn_by("reinforce")}});
}

TEST_CASE("what has an effect, or its default, is not", "[config]") {
  const std::string encoder = "model.encoder.self_attention.";
  const std::string cross = "model.decoder.cross_attention.";
  CHECK(idle({}).empty());
  CHECK(idle({encoder + "window=64", cross + "temperature=1"}).empty());
  CHECK(idle({encoder + "scope=local", encoder + "window=8", cross + "scope=monotonic",
              cross + "window=8", cross + "selection=hard", cross + "temperature=2",
              cross + "last_temperature=0.1", cross + "temperature_steps=5"})
            .empty());
  CHECK(
      idle({cross + "selection=hard", cross + "estimator=reinforce", cross + "reinforce_weight=1"})
          .empty());
}

}  // namespace
}  // namespace calque
