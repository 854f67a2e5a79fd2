// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/session/h5_handle.h"

#include "core/base/error.h"

#include <fmt/format.h>

namespace moescope::session::h5 {
namespace {

std::recursive_mutex& libraryMutex() {
    // One lock for the whole process: the library has global state of its own.
    static std::recursive_mutex mutex;
    return mutex;
}

herr_t keepInnermost(unsigned, const H5E_error2_t* error, void* out) {
    if (error->desc != nullptr && *error->desc != '\0') {
        *static_cast<std::string*>(out) = error->desc;
    }
    return 0;
}

std::string nameOf(hid_t object, ssize_t (*ask)(hid_t, char*, size_t)) {
    const ssize_t length = ask(object, nullptr, 0);
    if (length <= 0) {
        return {};
    }
    std::string text(static_cast<std::size_t>(length) + 1, '\0');
    ask(object, text.data(), text.size());
    text.resize(static_cast<std::size_t>(length));
    return text;
}

}  // namespace

Guard::Guard() : m_lock(libraryMutex()) {
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

std::string takeErrorText() {
    std::string text;
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, &keepInnermost, &text);
    H5Eclear2(H5E_DEFAULT);
    return text;
}

std::string place(hid_t object) {
    if (object < 0 || H5Iis_valid(object) <= 0) {
        return {};
    }
    const std::string file = nameOf(object, &H5Fget_name);
    const std::string path = H5Iget_type(object) == H5I_FILE ? "/" : nameOf(object, &H5Iget_name);
    return file + ":" + path;
}

void failReading(hid_t object, const std::string& what) {
    const std::string reason = takeErrorText();
    throw Error(
        ErrorCode::BadSession,
        fmt::format("Cannot read {} in {}{}{}. The file is damaged or not a Moescope session.",
                    what, place(object), reason.empty() ? "" : ": ", reason));
}

void failWriting(hid_t object, const std::string& what) {
    const std::string reason = takeErrorText();
    const bool full = reason.find("errno = 28") != std::string::npos;
    throw Error(
        full ? ErrorCode::DiskFull : ErrorCode::FileUnwritable,
        fmt::format("Cannot write {} in {}{}{}.{}", what, place(object), reason.empty() ? "" : ": ",
                    reason, full ? " Free some space and try again." : ""));
}

}  // namespace moescope::session::h5
