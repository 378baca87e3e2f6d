#pragma once

#include <cstdint>
#include <span>

namespace calque::kernels {

/// values[i] = value.
template <class T>
void fill(std::span<T> values, T value);

/// target[i] = source[i].
template <class T>
void copy(std::span<const T> source, std::span<T> target);

/// target[i] += source[i].
template <class T>
void add_to(std::span<const T> source, std::span<T> target);

/// target[i] += factor * (source[i] - target[i]): one step of an exponential moving average.
template <class T>
void move_towards(std::span<const T> source, T factor, std::span<T> target);

}  // namespace calque::kernels
