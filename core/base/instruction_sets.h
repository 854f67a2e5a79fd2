// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

/// Functions compiled for instruction sets that not every processor of the kind has, and whether
/// this one has them. The portable form of such a function is always there as well.
#if defined(__x86_64__)
#define MOESCOPE_X86 1
#define MOESCOPE_TARGET_AVX2 [[gnu::target("avx2,fma")]]
#define MOESCOPE_TARGET_AVX512 [[gnu::target("avx512f,avx512bw,avx512vl")]]

namespace moescope {

[[nodiscard]] inline bool hasAvx2() noexcept {
    // int to one compiler, bool to another.
    return static_cast<bool>(__builtin_cpu_supports("avx2")) &&
           static_cast<bool>(__builtin_cpu_supports("fma"));
}
[[nodiscard]] inline bool hasAvx512() noexcept {
    return static_cast<bool>(__builtin_cpu_supports("avx512f")) &&
           static_cast<bool>(__builtin_cpu_supports("avx512bw")) &&
           static_cast<bool>(__builtin_cpu_supports("avx512vl"));
}

}  // namespace moescope
#endif
