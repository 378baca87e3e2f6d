#include "checkpoint/state.h"

#include "checkpoint/checkpoint_support.h"
#include "checkpoint/forgery.h"
#include "support/catch.h"

namespace calque {
namespace {

using test::body_of;
using test::sealed;
using test::user_error;

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t place = text.find(from);
  REQUIRE(place != std::string::npos);
  return text.replace(place, from.size(), to);
}

std::string error_of(const std::string& text) {
  return user_error([&] { state_from_json(text, "run/state.json"); });
}

TEST_CASE("a state is read as it was written", "[checkpoint]") {
  CheckpointState state = test::SmallRun().state;
  state.files = {{"model.safetensors", {1234, 0x00000000000000FFU}}};
  CHECK(state_from_json(to_json(state), "state.json") == state);

  state.validated_step = 11990;
  state.best->loss = 2.25;
  CHECK(state_from_json(to_json(state), "state.json") == state);

  state.best.reset();
  state.skipped = 7;
  state.passed_over = {{0, 21}, {1, 5}};
  state.scheduled = false;
  state.reinforce_baseline = 3.75;
  state.averaged_steps = {1000, 2000};
  state.trained_seconds = 0.1;
  CHECK(state_from_json(to_json(state), "state.json") == state);
  CHECK(state_from_json(to_json(CheckpointState()), "state.json") == CheckpointState());
}

TEST_CASE("a state of before it named the validated step had validated what was due",
          "[checkpoint]") {
  CheckpointState state = test::SmallRun().state;
  const std::string body = replaced(body_of(to_json(state)), "  \"validated_step\": -1,\n", "");
  const CheckpointState read = state_from_json(sealed(body), "state.json");
  CHECK(read.validated_step == state.step);
  CHECK(!read.best->loss.has_value());
}

TEST_CASE("a state of before updates were skipped has skipped none", "[checkpoint]") {
  const CheckpointState state = test::SmallRun().state;
  const std::string body =
      replaced(body_of(to_json(state)), "  \"skipped\": 0,\n  \"passed_over\": null,\n", "");
  CHECK(state_from_json(sealed(body), "state.json") == state);
}

TEST_CASE("a state of which a byte is changed or missing is refused", "[checkpoint]") {
  const std::string text = to_json(test::SmallRun().state);
  for (size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    CHECK_THAT(error_of(changed), ContainsSubstring("run/state.json is damaged"));
    CHECK_THAT(error_of(text.substr(0, i)), ContainsSubstring("run/state.json is damaged"));
  }
  CHECK_THAT(error_of(text + "\n"), ContainsSubstring("run/state.json is damaged"));
}

TEST_CASE("a newer format names the version that it needs", "[checkpoint]") {
  const std::string body = body_of(to_json(test::SmallRun().state));
  const std::string newer =
      replaced(replaced(body, "\"format_version\": 2", "\"format_version\": 3"),
               "\"calque_version\": \"0.1.0\"", "\"calque_version\": \"7.5.0\"");
  CHECK_THAT(error_of(sealed(newer)),
             ContainsSubstring("has format 3") && ContainsSubstring("Use Calque 7.5.0"));
}

TEST_CASE("of a state whose batches were in another order, all but the positions is read",
          "[checkpoint]") {
  CheckpointState state = test::SmallRun().state;
  std::string body = body_of(to_json(state));
  body = replaced(body, "\"format_version\": 2", "\"format_version\": 1");
  body = replaced(body, "\"pairs\": 721", "\"window\": 7,\n  \"batch\": 21");
  body = replaced(body, "\"passed_over\": null",
                  "\"passed_over\": {\"after\": {\"epoch\": 0, \"window\": 0, \"batch\": -1},"
                  "\"last\": {\"epoch\": 0, \"window\": 0, \"batch\": 3}}");
  state.format = 1;
  state.position.pairs = 0;
  CHECK(!state.has_this_order());
  CHECK(state_from_json(sealed(body), "state.json") == state);
}

TEST_CASE("all wrong entries of a state are listed at once", "[checkpoint]") {
  std::string body = body_of(to_json(test::SmallRun().state));
  body = replaced(body, "\"step\": 12000", "\"step\": -1");
  body = replaced(body, "\"epoch\"", "\"epoche\"");
  body = replaced(body, "\"scheduled\": true", "\"scheduled\": 1");
  body = replaced(body, "\"passed_over\": null",
                  "\"passed_over\": {\"after\": {\"epoch\": 0, \"pairs\": -2}}");
  body = replaced(body, "\"pairs\": 721", "\"pairs\": 18446744073709551615");
  body = replaced(body, "\"fedcba9876543210\"", "\"fedcba98\"");
  body = replaced(body, "\"bytes\": 1801239", "\"bytes\": \"1801239\"");
  const std::string message = error_of(sealed(body));
  CHECK_THAT(message, ContainsSubstring("run/state.json cannot be used"));
  CHECK_THAT(message, ContainsSubstring("step should be a whole number of at least 0"));
  CHECK_THAT(message, ContainsSubstring("epoch is missing"));
  CHECK_THAT(message, ContainsSubstring("scheduled should be true or false"));
  CHECK_THAT(message, ContainsSubstring("pairs should be a whole number"));
  CHECK_THAT(message, ContainsSubstring("passed_over.after.pairs should be a whole number of at "
                                        "least 0; passed_over.last is missing"));
  CHECK_THAT(message, ContainsSubstring("corpus.fingerprint should be 16 hexadecimal digits"));
  CHECK_THAT(message,
             ContainsSubstring("corpus.files.data/train.en.bytes should be a whole number"));
}

TEST_CASE("text with a good checksum that is no state is refused", "[checkpoint]") {
  CHECK_THAT(error_of(sealed("{\"a\": [")), ContainsSubstring("is no JSON object"));
  const std::string message = error_of(sealed("{\"a\": 1"));
  CHECK_THAT(message, ContainsSubstring("format_version is missing") &&
                          ContainsSubstring("; pairs is missing"));
  CHECK(message.find("format_version") == message.rfind("format_version"));
}

}  // namespace
}  // namespace calque
