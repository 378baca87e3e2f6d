#pragma once

#include <cstdint>

namespace calque::kernels {

/// y = tanh(x), element by element; y may be x.
template <class T>
void tanh_forward(const T* x, int64_t count, T* y);

/// dx = dy (1 - y^2), or dx += with `accumulate`. dx may be dy.
template <class T>
void tanh_backward(const T* y, const T* dy, int64_t count, T* dx, bool accumulate);

}  // namespace calque::kernels
