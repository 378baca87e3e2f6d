#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <type_traits>
#include <vector>

#include "autograd/var.h"
#include "tensor/arena.h"
#include "tensor/gap_pool.h"
#include "tensor/workspace.h"

namespace calque {

/// Where an op's backward writes the gradient of one input: the memory, and whether something is
/// there already that must be added to. Without memory (false) no gradient is wanted.
struct GradientTarget {
  Tensor tensor;
  bool accumulate = false;
  MatrixView<Real> matrix() const { return tensor ? tensor.matrix() : MatrixView<Real>(); }
  explicit operator bool() const { return static_cast<bool>(tensor); }
};

/// The record of one forward pass, and reverse-mode differentiation over it (Rumelhart et al. 1986;
/// as in Baydin et al. 2018, section 3.2).
///
/// Ops compute at once and append one entry: a function pointer and a small trivially destructible
/// struct with what backward needs. `backward` walks the entries from the last to the first. The
/// gradient of an op's output is complete when its entry runs, and its memory is given back right
/// after.
///
/// The contract of an op's backward function `void (const Saved&, Tape&, Workspace&)`:
///   - `tape.gradient(y)` is the gradient of its output y, to be read only;
///   - `tape.target(x)` says where x's gradient goes: the first writer of a gradient assigns every
///     element, later ones add (GradientTarget::accumulate);
///   - `tape.target_over(y, x)` does so too, and where both have one shape may choose the memory of
///     y's gradient, which the op reads element by element before it writes;
///   - `tape.pass_gradient(y, x)` hands y's gradient on to x unchanged, without copying where
///     possible.
class Tape {
 public:
  /// Entries live in `arena`, gradients in a pool of the tape's own.
  Tape(Arena& arena, Workspace& workspace) : arena_(arena), workspace_(workspace) {}

  /// Makes `value`, the result of an op, a Var whose gradient the tape keeps.
  Var output(const Tensor& value);

  /// A leaf whose gradient goes to memory of the caller's, `gradient` (a parameter's). `written`
  /// tells whether it holds something already: then backward adds to it, else it assigns and sets
  /// the flags. Several flags stand for several parameters side by side; they must agree.
  Var leaf(const Tensor& value, const Tensor& gradient, std::span<uint8_t> written);

  /// Appends the entry of an op with output `y`.
  template <class Saved>
  void record(const Var& y, const Saved& saved, void (*run)(const Saved&, Tape&, Workspace&)) {
    static_assert(std::is_trivially_destructible_v<Saved> && std::is_trivially_copyable_v<Saved>);
    void* memory = arena_.allocate<std::byte>(sizeof(Saved));
    new (memory) Saved(saved);
    // A function pointer may travel as another function pointer type and back again.
    entries_.push_back({y.slot, memory, reinterpret_cast<Erased>(run), &call<Saved>});
  }

  /// Runs all entries backwards. The roots are what loss ops wrote during the forward pass through
  /// `target`; a Var that no root depends on gets no gradient, and its entry is skipped.
  void backward();

  /// Forgets all entries and slots and gives back all gradient memory.
  void reset();

  // For ops.
  /// Without memory (false) when no root depends on y.
  Tensor gradient(const Var& y) const;
  GradientTarget target(const Var& x);
  GradientTarget target_over(const Var& y, const Var& x);
  void pass_gradient(const Var& y, const Var& x);

  const GapPool& gradients() const { return gradients_; }
  int64_t size() const { return static_cast<int64_t>(entries_.size()); }

 private:
  using Erased = void (*)();
  struct Entry {
    int32_t slot;
    const void* saved;
    Erased run;
    void (*call)(const Entry&, Tape&, Workspace&);
  };
  struct Slot {
    Shape shape;
    Tensor gradient;               // no data: nothing written yet
    std::span<uint8_t> written{};  // of a leaf: the caller's flags
    bool leaf = false;
  };

  Arena& arena_;
  Workspace& workspace_;
  GapPool gradients_;
  std::vector<Entry> entries_;
  std::vector<Slot> slots_;

  template <class Saved>
  static void call(const Entry& entry, Tape& tape, Workspace& workspace) {
    reinterpret_cast<void (*)(const Saved&, Tape&, Workspace&)>(entry.run)(
        *static_cast<const Saved*>(entry.saved), tape, workspace);
  }
  Slot& slot(const Var& var) { return slots_[static_cast<size_t>(var.slot)]; }
  const Slot& slot(const Var& var) const { return slots_[static_cast<size_t>(var.slot)]; }
  void release(Slot& slot);
};

}  // namespace calque
