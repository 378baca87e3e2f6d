#include "base/stop_signal.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "support/catch.h"

using namespace calque;

namespace {

void (*handler_of(int signal_number))(int) {
  struct sigaction action {};
  sigaction(signal_number, nullptr, &action);
  return action.sa_handler;
}

/// Exit status (waitpid) of a child that runs `action` and then leaves with code 42.
template <class Action>
int child_status(const Action& action) {
  const pid_t child = fork();
  if (child == 0) {
    const rlimit no_core{0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    action();
    _exit(42);
  }
  int status = -1;
  waitpid(child, &status, 0);
  return status;
}

}  // namespace

TEST_CASE("a stop signal is noted, and the handlers of before come back", "[base]") {
  const auto interrupt_before = handler_of(SIGINT);
  const auto terminate_before = handler_of(SIGTERM);
  for (const int number : {SIGINT, SIGTERM}) {
    const StopSignal stop;
    CHECK(stop.received() == 0);
    raise(number);
    CHECK(stop.received() == number);
  }
  CHECK(StopSignal().received() == 0);
  CHECK(handler_of(SIGINT) == interrupt_before);
  CHECK(handler_of(SIGTERM) == terminate_before);
}

TEST_CASE("a second signal ends the process with that signal", "[base]") {
  for (const int second : {SIGINT, SIGTERM}) {
    const int status = child_status([second] {
      const StopSignal stop;
      raise(SIGINT);
      raise(second);
    });
    REQUIRE(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == second);
  }
}

TEST_CASE("one signal does not end the process", "[base]") {
  const int status = child_status([] {
    const StopSignal stop;
    raise(SIGTERM);
  });
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 42);
}

TEST_CASE("two StopSignals at a time are refused", "[base]") {
  const StopSignal stop;
  CHECK_THROWS_AS(StopSignal(), InternalError);
}

TEST_CASE("the handlers of a stop signal run on a stack of their own", "[base]") {
  const StopSignal stop;
  for (const int number : {SIGINT, SIGTERM}) {
    struct sigaction action {};
    sigaction(number, nullptr, &action);
    CHECK((action.sa_flags & SA_ONSTACK) != 0);
  }
  stack_t stack{};
  REQUIRE(sigaltstack(nullptr, &stack) == 0);
  CHECK((stack.ss_flags & SS_DISABLE) == 0);
  CHECK(stack.ss_size >= size_t{64} << 10);
}

TEST_CASE("work deep below a stop signal learns of it", "[base]") {
  CHECK_FALSE(stop_requested());
  {
    const StopSignal stop;
    throw_if_stopped();
    raise(SIGTERM);
    CHECK(stop_requested());
    int signal = 0;
    try {
      throw_if_stopped();
    } catch (const StoppedBySignal& stopped) {
      signal = stopped.signal;
    }
    CHECK(signal == SIGTERM);
  }
  CHECK_FALSE(stop_requested());
}

TEST_CASE("what cannot be told to stop is ended by a signal", "[base]") {
  const int status = child_status([] {
    const StopSignal stop;
    const SignalsEndProcess unstoppable;
    raise(SIGINT);
  });
  REQUIRE(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGINT);

  const StopSignal stop;
  { const SignalsEndProcess unstoppable; }
  raise(SIGINT);
  CHECK(stop.received() == SIGINT);
  CHECK_THROWS_AS(SignalsEndProcess(), StoppedBySignal);
  CHECK(handler_of(SIGINT) != SIG_DFL);
}
