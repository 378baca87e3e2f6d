#include "base/stop_signal.h"

#include <signal.h>

#include <array>
#include <atomic>

#include "base/error.h"

namespace calque {
namespace {

constexpr std::array<int, 2> kSignals{SIGINT, SIGTERM};

std::atomic<int> received_{0};
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler may use it");

bool installed = false;
std::array<struct sigaction, kSignals.size()> actions_before;

/// Calls async-signal-safe functions alone.
void note_signal(int signal) {
  int none = 0;
  if (received_.compare_exchange_strong(none, signal)) return;
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  sigaction(signal, &standard, nullptr);
  raise(signal);  // blocked while its handler runs: takes effect on return
}

}  // namespace

StopSignal::StopSignal() {
  CALQUE_CHECK(!installed, "two StopSignals at a time");
  installed = true;
  received_ = 0;
  struct sigaction action {};
  action.sa_handler = note_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &action, &actions_before[i]);
}

StopSignal::~StopSignal() {
  for (size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &actions_before[i], nullptr);
  installed = false;
}

int StopSignal::received() const { return received_; }

}  // namespace calque
