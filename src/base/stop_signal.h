#pragma once

namespace calque {

/// Notes SIGINT and SIGTERM while it lives, so that long work can save and leave. A second signal
/// ends the process at once with the signal's default action. The handlers of before come back with
/// the destructor.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  /// The signal that arrived (SIGINT or SIGTERM), or 0.
  int received() const;
};

/// Thrown by work that was stopped by a signal after it saved what it had; exit code 128 + signal.
struct StoppedBySignal {
  int signal;
};

/// Whether a StopSignal lives that has noted a signal, for work deep below it.
bool stop_requested();
/// Throws StoppedBySignal when that is so.
void throw_if_stopped();

/// While it lives, a signal ends the process at once, as if there were no StopSignal: for work of a
/// library that cannot be told to stop, and that has nothing to save. Throws StoppedBySignal when a
/// signal was noted before.
class SignalsEndProcess {
 public:
  SignalsEndProcess();
  ~SignalsEndProcess();
  SignalsEndProcess(const SignalsEndProcess&) = delete;
  SignalsEndProcess& operator=(const SignalsEndProcess&) = delete;
};

}  // namespace calque
