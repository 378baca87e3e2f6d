#include "base/stop_signal.h"

#include <signal.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "base/error.h"

namespace calque {
namespace {

constexpr std::array<int, 2> kSignals{SIGINT, SIGTERM};

std::atomic<int> received_{0};
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler may use it");

bool installed = false;

/// The handler has a stack of its own. oneDNN's generated code keeps data where the stack pointer
/// points (its sgemm moves it into a buffer on the heap), so what the kernel pushes for a handler
/// on the ordinary stack would overwrite somebody's memory. A signal to the process goes to the
/// main thread, which makes StopSignals, as long as that does not block it.
constexpr size_t kStackBytes = size_t{64} << 10;  // the registers alone may take 11 KB
alignas(64) std::array<std::byte, kStackBytes> handler_stack;
stack_t stack_before;
std::array<struct sigaction, kSignals.size()> actions_before;

void use(void (*handler)(int), int flags) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  sigemptyset(&action.sa_mask);
  for (const int signal : kSignals) sigaction(signal, &action, nullptr);
}

/// Calls async-signal-safe functions alone.
void note_signal(int signal) {
  int none = 0;
  if (received_.compare_exchange_strong(none, signal)) return;
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  sigaction(signal, &standard, nullptr);
  raise(signal);  // blocked while its handler runs: takes effect on return
}

void listen() { use(note_signal, SA_RESTART | SA_ONSTACK); }

}  // namespace

StopSignal::StopSignal() {
  CALQUE_CHECK(!installed, "two StopSignals at a time");
  installed = true;
  stack_t stack{};
  stack.ss_sp = handler_stack.data();
  stack.ss_size = handler_stack.size();
  CALQUE_CHECK(sigaltstack(&stack, &stack_before) == 0, "sigaltstack: {}", std::strerror(errno));
  received_ = 0;
  for (size_t i = 0; i < kSignals.size(); ++i) {
    sigaction(kSignals[i], nullptr, &actions_before[i]);
  }
  listen();
}

StopSignal::~StopSignal() {
  for (size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &actions_before[i], nullptr);
  sigaltstack(&stack_before, nullptr);
  installed = false;
}

int StopSignal::received() const { return received_; }

bool stop_requested() { return installed && received_ != 0; }

void throw_if_stopped() {
  if (stop_requested()) throw StoppedBySignal{received_};
}

SignalsEndProcess::SignalsEndProcess() {
  if (!installed) return;
  use(SIG_DFL, 0);
  if (const int signal = received_; signal != 0) {
    listen();
    throw StoppedBySignal{signal};
  }
}

SignalsEndProcess::~SignalsEndProcess() {
  if (installed) listen();
}

}  // namespace calque
