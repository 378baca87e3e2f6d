#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "tensor/arena.h"

namespace calque {

/// Scratch memory that kernels work in: one arena for the calling thread and one for each worker of
/// a parallel loop. Nothing in it outlives the kernel that asked; memory is kept for the next call.
///
///     Workspace::Scope scope(workspace.worker(worker));
///     float* scores = scope.allocate<float>(rows * cols);   // given back by ~Scope
class Workspace {
 public:
  /// Scratch for up to `threads` workers.
  explicit Workspace(int threads);
  ~Workspace();

  using Scope = Arena::Scope;

  /// The scratch arena of a parallel loop's worker. Throws InternalError when `worker` is not below
  /// the number of workers given to the constructor.
  Arena& worker(int worker);
  /// Gives the arena of every worker as much memory as the largest one has, between loops: which
  /// worker meets a task that needs much is not defined.
  void even_out();
  /// The scratch arena of the code around the loops.
  Arena& shared() { return shared_; }
  int workers() const { return static_cast<int>(workers_.size()); }
  /// The sum of the most bytes that were ever in use in each arena.
  size_t peak() const;

 private:
  std::vector<std::unique_ptr<Arena>> workers_;
  Arena shared_;
};

}  // namespace calque
