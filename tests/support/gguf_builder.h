// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace moescope::tests {

/// Builds the bytes of a GGUF file field by field, right or wrong.
class GgufBuilder {
public:
    std::string magic = "GGUF";
    std::uint32_t version = 3;
    std::uint64_t alignment = 32;
    std::uint64_t extraTensors = 0, extraPairs = 0;  ///< claimed but not there

    GgufBuilder& text(std::string_view key, std::string_view value) {
        pair(key, 8);
        string(m_pairs, value);
        return *this;
    }
    template <typename T>
    GgufBuilder& number(std::string_view key, std::uint32_t type, T value) {
        pair(key, type);
        put(m_pairs, value);
        return *this;
    }
    GgufBuilder& integer(std::string_view key, std::uint32_t value) {
        return number(key, 4, value);
    }
    GgufBuilder& texts(std::string_view key, const std::vector<std::string>& values) {
        pair(key, 9);
        put(m_pairs, std::uint32_t{8});
        put(m_pairs, std::uint64_t{values.size()});
        for (const auto& value : values) {
            string(m_pairs, value);
        }
        return *this;
    }
    template <typename T>
    GgufBuilder& numbers(std::string_view key, std::uint32_t type, const std::vector<T>& values) {
        pair(key, 9);
        put(m_pairs, type);
        put(m_pairs, std::uint64_t{values.size()});
        for (const T value : values) {
            put(m_pairs, value);
        }
        return *this;
    }
    /// `dimensions` as the file lists them, the fastest first.
    GgufBuilder& tensor(std::string_view name, const std::vector<std::uint64_t>& dimensions,
                        std::uint32_t type, std::uint64_t offset) {
        string(m_infos, name);
        put(m_infos, static_cast<std::uint32_t>(dimensions.size()));
        for (const auto dimension : dimensions) {
            put(m_infos, dimension);
        }
        put(m_infos, type);
        put(m_infos, offset);
        ++m_tensors;
        return *this;
    }
    [[nodiscard]] std::string bytes(std::string_view data = {}) const {
        std::string file = magic;
        put(file, version);
        put(file, m_tensors + extraTensors);
        put(file, m_count + extraPairs);
        file += m_pairs + m_infos;
        file.append((alignment - file.size() % alignment) % alignment, '\0');
        return file.append(data);
    }

private:
    template <typename T>
    static void put(std::string& to, T value) {
        static_assert(std::is_arithmetic_v<T>);
        to.append(reinterpret_cast<const char*>(&value), sizeof(T));
    }
    static void string(std::string& to, std::string_view value) {
        put(to, std::uint64_t{value.size()});
        to.append(value);
    }
    void pair(std::string_view key, std::uint32_t type) {
        string(m_pairs, key);
        put(m_pairs, type);
        ++m_count;
    }

    std::string m_pairs, m_infos;
    std::uint64_t m_count = 0, m_tensors = 0;
};

}  // namespace moescope::tests
