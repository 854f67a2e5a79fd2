// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <dlfcn.h>

namespace moescope::engine {

/// A function of a library that the process may or may not have loaded (OpenBLAS, OpenMP, CUDA), so
/// that one source serves every LibTorch; null when it is not there. `library`: where to look if it
/// was loaded so that its functions do not show.
template <typename Function>
[[nodiscard]] Function* loadedFunction(const char* name, const char* library = nullptr) {
    void* found = ::dlsym(RTLD_DEFAULT, name);
    if (found == nullptr && library != nullptr) {
        if (void* const handle = ::dlopen(library, RTLD_LAZY | RTLD_NOLOAD)) {
            found = ::dlsym(handle, name);  // stays loaded: whoever loaded it keeps it
            ::dlclose(handle);
        }
    }
    return reinterpret_cast<Function*>(found);
}

}  // namespace moescope::engine
