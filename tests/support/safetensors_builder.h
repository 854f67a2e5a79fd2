// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/nd_array.h"
#include "core/checkpoint/dtype.h"

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>

namespace moescope::tests {

/// The bytes of a safetensors file from a header written by hand, for files that are wrong on
/// purpose.
inline std::string rawSafetensors(std::string_view header, std::string_view data) {
    std::string file;
    for (unsigned i = 0; i < 8; ++i) {
        file += static_cast<char>((std::uint64_t{header.size()} >> (8U * i)) & 0xFFU);
    }
    return file.append(header).append(data);
}

/// Without the disk flush of writeFileAtomically(): tests write many small files.
inline void writeFile(const std::filesystem::path& path, std::string_view content) {
    std::ofstream file(path, std::ios::binary);
    file.write(content.data(), static_cast<std::streamsize>(content.size()));
}

/// Builds a well-formed safetensors file tensor by tensor. Without data (`addShape`) only the
/// header is complete.
class SafetensorsBuilder {
public:
    SafetensorsBuilder& add(std::string_view name, checkpoint::Dtype dtype, const Shape& shape,
                            std::string_view bytes) {
        m_data.append(bytes);
        return addEntry(name, dtype, shape, bytes.size());
    }
    SafetensorsBuilder& addFloats(std::string_view name, const Shape& shape,
                                  std::span<const float> values) {
        return add(name, checkpoint::Dtype::F32, shape,
                   {reinterpret_cast<const char*>(values.data()), values.size_bytes()});
    }
    SafetensorsBuilder& addShape(std::string_view name, checkpoint::Dtype dtype,
                                 const Shape& shape) {
        return addEntry(name, dtype, shape, elementCount(shape) * checkpoint::sizeOf(dtype));
    }

    [[nodiscard]] std::string header() const { return "{" + m_entries + "}"; }
    [[nodiscard]] std::string bytes() const { return rawSafetensors(header(), m_data); }
    void write(const std::filesystem::path& path) const { writeFile(path, bytes()); }

private:
    SafetensorsBuilder& addEntry(std::string_view name, checkpoint::Dtype dtype, const Shape& shape,
                                 std::uint64_t size) {
        std::string dimensions;
        for (const auto dimension : shape) {
            dimensions += (dimensions.empty() ? "" : ",") + std::to_string(dimension);
        }
        m_entries.append(m_entries.empty() ? "\"" : ",\"").append(name);
        m_entries.append(R"(":{"dtype":")").append(checkpoint::name(dtype));
        m_entries += R"(","shape":[)" + dimensions + R"(],"data_offsets":[)" +
                     std::to_string(m_end) + "," + std::to_string(m_end + size) + "]}";
        m_end += size;
        return *this;
    }

    std::string m_entries;
    std::string m_data;
    std::uint64_t m_end = 0;
};

}  // namespace moescope::tests
