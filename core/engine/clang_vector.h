// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

/// libstdc++'s std::vector without C++20's constexpr, for Clang and its tools in front of every
/// source that includes LibTorch 1.13, whose headers move vectors of a type that is incomplete
/// there: Clang makes a constexpr member at once and refuses it, GCC waits for the end of the file.
/// .clang-tidy beside the sources gives it to clang-tidy.
#ifdef __clang__
#include <memory>
#include <string>
#ifdef __GLIBCXX__
// NOLINTBEGIN(bugprone-reserved-identifier): the library's own names
#undef _GLIBCXX20_CONSTEXPR
#define _GLIBCXX20_CONSTEXPR
// Declared constexpr by a header that <string> has read, so that this one needs another name.
#define __fill_a1 __fill_a1_of_bits
#include <vector>
#undef __fill_a1
#undef _GLIBCXX20_CONSTEXPR
#define _GLIBCXX20_CONSTEXPR constexpr
// NOLINTEND(bugprone-reserved-identifier)
#endif
#endif
