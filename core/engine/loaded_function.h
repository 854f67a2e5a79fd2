// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <dlfcn.h>

namespace moescope::engine {

/// A function of a library that the process may or may not have loaded (OpenBLAS, OpenMP, CUDA), so
/// that one source serves every LibTorch; null when it is not there.
template <typename Function>
[[nodiscard]] Function* loadedFunction(const char* name) {
    return reinterpret_cast<Function*>(::dlsym(RTLD_DEFAULT, name));
}

}  // namespace moescope::engine
