// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/decode.h"
#include "tests/support/safetensors_builder.h"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace moescope::tests {

/// A checkpoint written again with the same weights stored otherwise, tensor by tensor.
class Restored {
public:
    explicit Restored(const std::filesystem::path& from) : m_from(from) {}

    [[nodiscard]] const checkpoint::Checkpoint& from() const { return m_from; }
    [[nodiscard]] std::vector<float> values(std::string_view name) const {
        const auto tensor = m_from.require(name);
        std::vector<float> result(elementCount(tensor.shape));
        checkpoint::decodeToFloat(tensor.dtype, tensor.bytes, result);
        return result;
    }

    void copy(const checkpoint::TensorView& tensor) {
        m_builder.add(tensor.name, tensor.dtype, tensor.shape,
                      {reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size()});
    }
    void add(const std::string& name, checkpoint::Dtype dtype, const Shape& shape,
             const std::string& bytes) {
        m_builder.add(name, dtype, shape, bytes);
    }
    void addFloats(const std::string& name, const Shape& shape, const std::vector<float>& values) {
        m_builder.addFloats(name, shape, values);
    }

    /// config.json with these keys changed.
    void write(const std::filesystem::path& folder,
               const nlohmann::json& changes = nlohmann::json::object()) const {
        std::filesystem::create_directories(folder);
        auto config = nlohmann::json::parse(m_from.configText());
        config.update(changes);
        writeFile(folder / "config.json", config.dump());
        m_builder.write(folder / "model.safetensors");
    }

private:
    checkpoint::Checkpoint m_from;
    SafetensorsBuilder m_builder;
};

/// The bytes of numbers, for a tensor.
template <typename T>
std::string bytesOf(const std::vector<T>& values) {
    return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

}  // namespace moescope::tests
