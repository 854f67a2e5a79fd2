// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/error.h"
#include "core/base/file_system.h"
#include "core/base/nd_array.h"
#include "core/checkpoint/safetensors.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

namespace moescope::tests {

/// A safetensors file of golden values (tests/data/reference), read by name.
class ReferenceFile {
public:
    explicit ReferenceFile(const std::filesystem::path& path)
        : m_file(path),
          m_header(checkpoint::readSafetensorsHeader(m_file.bytes(), path.string())) {}

    [[nodiscard]] bool has(const std::string& name) const { return find(name) != nullptr; }

    /// Throws Error(MissingTensor); only the types golden values come in.
    [[nodiscard]] NdArray array(const std::string& name) const {
        const checkpoint::StoredTensor* entry = find(name);
        if (entry == nullptr) {
            throw Error(ErrorCode::MissingTensor, "no golden value " + name);
        }
        NdArray array(elementType(entry->dtype), entry->shape);
        const auto from = m_file.bytes().subspan(entry->begin, entry->end - entry->begin);
        std::copy(from.begin(), from.end(), array.bytes().begin());
        return array;
    }
    [[nodiscard]] std::vector<float> floats(const std::string& name) const {
        const NdArray values = array(name);
        const auto span = values.values<float>();
        return {span.begin(), span.end()};
    }

private:
    static ElementType elementType(checkpoint::Dtype dtype) {
        switch (dtype) {
            case checkpoint::Dtype::F32:
                return ElementType::F32;
            case checkpoint::Dtype::F64:
                return ElementType::F64;
            case checkpoint::Dtype::I32:
                return ElementType::I32;
            case checkpoint::Dtype::I64:
                return ElementType::I64;
            case checkpoint::Dtype::I8:  // flags: 0 and 1
            case checkpoint::Dtype::U8:
                return ElementType::U8;
            default:
                throw Error(ErrorCode::Unsupported, "a golden value of an unexpected type");
        }
    }
    [[nodiscard]] const checkpoint::StoredTensor* find(const std::string& name) const {
        const auto found = std::find_if(m_header.entries.begin(), m_header.entries.end(),
                                        [&](const auto& entry) { return entry.name == name; });
        return found == m_header.entries.end() ? nullptr : &*found;
    }

    MappedFile m_file;
    checkpoint::SafetensorsHeader m_header;
};

}  // namespace moescope::tests
