// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/error.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

namespace moescope {

/// Reads little-endian fields of an untrusted file one after another; every step is checked against
/// what is left. Throws Error(BadCheckpoint) "WHERE: it is cut short at byte N ...".
class ByteReader {
public:
    /// `where` names the file in messages and must outlive the reader.
    ByteReader(std::span<const std::byte> data, std::string_view where)
        : m_data(data), m_where(where) {}

    [[nodiscard]] std::uint64_t position() const noexcept { return m_at; }
    [[nodiscard]] std::uint64_t left() const noexcept { return m_data.size() - m_at; }
    [[nodiscard]] std::string_view where() const noexcept { return m_where; }

    [[nodiscard]] std::span<const std::byte> bytes(std::uint64_t count) {
        if (count > left()) {
            throwShort(count);
        }
        const auto part = m_data.subspan(m_at, count);
        m_at += count;
        return part;
    }
    void skip(std::uint64_t count) { static_cast<void>(bytes(count)); }
    [[nodiscard]] std::string_view text(std::uint64_t count) {
        const auto part = bytes(count);
        return {reinterpret_cast<const char*>(part.data()), part.size()};
    }
    template <typename T>
    [[nodiscard]] T number() {
        T value;
        std::memcpy(&value, bytes(sizeof(T)).data(), sizeof(T));
        return value;
    }

private:
    [[noreturn]] void throwShort(std::uint64_t wanted) const {
        throw Error(ErrorCode::BadCheckpoint,
                    std::string(m_where) + ": it is cut short at byte " + std::to_string(m_at) +
                        ": " + std::to_string(wanted) + " more bytes are needed, " +
                        std::to_string(left()) + " are there. Download it again.");
    }

    std::span<const std::byte> m_data;
    std::string_view m_where;
    std::uint64_t m_at = 0;
};

}  // namespace moescope
