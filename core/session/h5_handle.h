// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <hdf5.h>

#include <mutex>
#include <string>
#include <utility>

/// Internal to core/session: every HDF5 call of the project happens in files that include this
/// header.
namespace moescope::session::h5 {

/// An HDF5 identifier that closes itself. Move-only.
template <herr_t (*Close)(hid_t)>
class Handle {
public:
    Handle() = default;
    explicit Handle(hid_t id) : m_id(id) {}
    ~Handle() { reset(); }
    Handle(Handle&& other) noexcept : m_id(std::exchange(other.m_id, -1)) {}
    Handle& operator=(Handle&& other) noexcept {
        std::swap(m_id, other.m_id);
        return *this;
    }
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;

    [[nodiscard]] hid_t get() const noexcept { return m_id; }
    [[nodiscard]] bool valid() const noexcept { return m_id >= 0; }
    void reset() noexcept {
        if (m_id >= 0) {
            Close(std::exchange(m_id, -1));
        }
    }
    [[nodiscard]] hid_t release() noexcept { return std::exchange(m_id, -1); }

private:
    hid_t m_id = -1;
};

using File = Handle<H5Fclose>;
using Group = Handle<H5Gclose>;
using Dataset = Handle<H5Dclose>;
using Space = Handle<H5Sclose>;
using Type = Handle<H5Tclose>;
using Attribute = Handle<H5Aclose>;
using Properties = Handle<H5Pclose>;
using Object = Handle<H5Oclose>;

/// HDF5 is one library-wide lock anyway, and builds without thread safety exist: hold this around
/// every use. Silences the library's own error printing for the calling thread.
class Guard {
public:
    Guard();

private:
    std::unique_lock<std::recursive_mutex> m_lock;
};

/// Text of the innermost error on HDF5's stack, and clears it.
[[nodiscard]] std::string takeErrorText();

/// A problem in a file being read: throws Error(BadSession) "<what>: <file> <object>. <HDF5's
/// reason>".
[[noreturn]] void failReading(hid_t object, const std::string& what);
/// A problem while writing: Error(DiskFull | FileUnwritable).
[[noreturn]] void failWriting(hid_t object, const std::string& what);

/// "file.h5:/run/text/ids" for messages; an empty string for an invalid object.
[[nodiscard]] std::string place(hid_t object);

}  // namespace moescope::session::h5
