// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

/// From the run's device to plain numbers, and what is done there. For .cpp files of this folder
/// only.
namespace moescope::experiments {

/// A contiguous copy (or the tensor itself) in main memory.
template <typename T>
[[nodiscard]] at::Tensor toHost(const at::Tensor& tensor) {
    return tensor.to(at::kCPU, c10::CppTypeToScalarType<T>::value).contiguous();
}

/// The elements of what toHost() gave.
template <typename T>
[[nodiscard]] std::span<const T> elements(const at::Tensor& host) {
    return {host.data_ptr<T>(), static_cast<std::size_t>(host.numel())};
}

/// The rows of a tensor [n, ...] at these places, all where none are given.
[[nodiscard]] inline at::Tensor rowsAt(const at::Tensor& tensor,
                                       const std::optional<std::vector<std::int64_t>>& places) {
    return places ? tensor.index_select(0, at::tensor(*places, at::kLong).to(tensor.device()))
                  : tensor;
}

}  // namespace moescope::experiments
