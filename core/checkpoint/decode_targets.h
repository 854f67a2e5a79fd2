// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

/// The same decode loop is compiled once per instruction set: an always_inline body takes the
/// target of the function it stands in, and the compiler vectorises it for that (the files that
/// include this are built with -O3 in every configuration).
#if defined(__x86_64__)
#define MOESCOPE_TARGET_AVX2 [[gnu::target("avx2")]]
#if defined(__clang__)
#define MOESCOPE_TARGET_AVX512 [[gnu::target("avx2,avx512f,avx512bw,avx512dq,avx512vl")]]
#else
#define MOESCOPE_TARGET_AVX512 \
    [[gnu::target("avx2,avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512")]]
#endif
#else
#define MOESCOPE_TARGET_AVX2
#define MOESCOPE_TARGET_AVX512
#endif
