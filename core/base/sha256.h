// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace moescope {

/// Incremental SHA-256 (OpenSSL's). Thread-compatible.
class Sha256 {
public:
    Sha256();
    ~Sha256();
    Sha256(const Sha256&) = delete;
    Sha256& operator=(const Sha256&) = delete;

    void update(std::span<const std::byte> bytes);
    void update(std::string_view text);
    /// 64 lower-case hexadecimal digits; the object cannot be updated afterwards.
    [[nodiscard]] std::string hexDigest();

private:
    struct Impl;
    std::unique_ptr<Impl> m_impl;
};

}  // namespace moescope
