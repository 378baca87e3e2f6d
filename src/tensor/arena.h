#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tensor/memory_block.h"
#include "tensor/tensor.h"

namespace calque {

/// Memory for activations: handed out by moving a pointer, taken back all at once by `reset`. When
/// a step needs more than the arena has, further blocks are added; once everything has been taken
/// back, the next allocation makes one block out of them, a quarter larger than the peak: what is
/// never touched takes no memory. So from the second step on, steps that need about as much
/// allocate nothing. On cache lines of its own: while one thread uses it, others use theirs.
class alignas(kAlignment) Arena {
 public:
  explicit Arena(size_t bytes = 0);

  /// Uninitialised memory for `count` elements, 64-byte aligned, valid until `reset` (or a `rewind`
  /// to an earlier mark).
  template <class T>
  T* allocate(int64_t count) {
    return static_cast<T*>(allocate_bytes(static_cast<size_t>(count) * sizeof(T)));
  }
  Tensor tensor(const Shape& shape) { return {allocate<Real>(shape.count()), shape}; }

  /// Takes everything back.
  void reset();
  /// Makes room for `bytes` in all. Nothing may be in use.
  void reserve(size_t bytes);

  /// A place to return to: everything allocated after `mark` is taken back by `rewind`.
  struct Mark {
    size_t block = 0;
    size_t used = 0;
    size_t total = 0;
  };
  Mark mark() const { return {block_, used_, total_}; }
  void rewind(const Mark& mark);

  /// Takes memory from an arena and gives it back when it ends, also where an exception ends it;
  /// scopes nest.
  class Scope {
   public:
    explicit Scope(Arena& arena) : arena_(arena), mark_(arena.mark()) {}
    ~Scope() { arena_.rewind(mark_); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    template <class T>
    T* allocate(int64_t count) {
      return arena_.allocate<T>(count);
    }

   private:
    Arena& arena_;
    Mark mark_;
  };

  /// Bytes in use, the most that ever were, and the bytes owned.
  size_t used() const { return total_; }
  size_t peak() const { return peak_; }
  size_t capacity() const;

 private:
  std::vector<MemoryBlock> blocks_;
  size_t block_ = 0;  // the one being filled
  size_t used_ = 0;   // of that block
  // Between used_ and total_: side by side, GCC adds to both as one vector, whose load has to wait
  // for what `rewind` stored in two parts.
  size_t peak_ = 0;   // the largest total_ ever
  size_t total_ = 0;  // handed out, from all blocks
  void* allocate_bytes(size_t bytes);
  void merge_blocks();
  void replace_blocks(size_t bytes);
};

}  // namespace calque
