// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

/// Functions compiled for instruction sets that not every processor of the kind has, and whether
/// this one has them. On other kinds of processors the marks mean nothing, and such a function is
/// one more portable form.
#if defined(__x86_64__)
#define MOESCOPE_X86 1
#define MOESCOPE_TARGET_AVX2 [[gnu::target("avx2,fma")]]
#define MOESCOPE_TARGET_AVX512 [[gnu::target("avx512f,avx512bw,avx512vl")]]
#define MOESCOPE_TARGET_AVX512_BF16 [[gnu::target("avx512f,avx512bw,avx512vl,avx512bf16")]]
#else
#define MOESCOPE_TARGET_AVX2
#define MOESCOPE_TARGET_AVX512
#endif

namespace moescope {

[[nodiscard]] inline bool hasAvx2() noexcept {
#if defined(MOESCOPE_X86)
    // int to one compiler, bool to another.
    return static_cast<bool>(__builtin_cpu_supports("avx2")) &&
           static_cast<bool>(__builtin_cpu_supports("fma"));
#else
    return false;
#endif
}

[[nodiscard]] inline bool hasAvx512() noexcept {
#if defined(MOESCOPE_X86)
    return static_cast<bool>(__builtin_cpu_supports("avx512f")) &&
           static_cast<bool>(__builtin_cpu_supports("avx512bw")) &&
           static_cast<bool>(__builtin_cpu_supports("avx512vl"));
#else
    return false;
#endif
}

/// Dot products of bfloat16.
[[nodiscard]] inline bool hasAvx512Bf16() noexcept {
#if defined(MOESCOPE_X86)
    return hasAvx512() && static_cast<bool>(__builtin_cpu_supports("avx512bf16"));
#else
    return false;
#endif
}

/// Of the forms of one function (or set of functions) the best that this processor can run.
template <typename Form>
[[nodiscard]] Form bestForm(Form portable, Form avx2, Form avx512) noexcept {
    if (hasAvx512()) {
        return avx512;
    }
    return hasAvx2() ? avx2 : portable;
}

}  // namespace moescope
