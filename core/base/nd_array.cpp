// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/nd_array.h"

#include "core/base/error.h"

#include <fmt/format.h>

#include <cstring>
#include <limits>

namespace moescope {

std::size_t sizeOf(ElementType type) noexcept {
    switch (type) {
        case ElementType::U8:
            return 1;
        case ElementType::U16:
            return 2;
        case ElementType::F32:
        case ElementType::U32:
        case ElementType::I32:
            return 4;
        case ElementType::F64:
        case ElementType::U64:
        case ElementType::I64:
            return 8;
    }
    return 0;
}

std::string_view name(ElementType type) noexcept {
    switch (type) {
        case ElementType::F32:
            return "float32";
        case ElementType::F64:
            return "float64";
        case ElementType::U8:
            return "uint8";
        case ElementType::U16:
            return "uint16";
        case ElementType::U32:
            return "uint32";
        case ElementType::U64:
            return "uint64";
        case ElementType::I32:
            return "int32";
        case ElementType::I64:
            return "int64";
    }
    return "?";
}

std::uint64_t elementCount(const Shape& shape) {
    std::uint64_t count = 1;
    for (const std::uint64_t dimension : shape) {
        if (dimension != 0 && count > std::numeric_limits<std::uint64_t>::max() / dimension) {
            throw Error(ErrorCode::BadShape,
                        "An array's dimensions multiply to more than 64 bits.");
        }
        count *= dimension;
    }
    return count;
}

NdArray::NdArray(ElementType type, Shape shape) : m_type(type), m_shape(std::move(shape)) {
    m_bytes.resize(elementCount(m_shape) * sizeOf(type));
}

void NdArray::require(ElementType wanted) const {
    if (wanted != m_type) {
        throw Error(ErrorCode::BadShape,
                    fmt::format("An array of {} was read as {}.", name(m_type), name(wanted)));
    }
}

void NdArray::requireCount(std::size_t count) const {
    if (count != size()) {
        throw Error(ErrorCode::BadShape,
                    fmt::format("{} values for an array of {}.", count, size()));
    }
}

namespace {
template <typename T>
double load(const std::byte* from) {
    T value;
    std::memcpy(&value, from, sizeof(T));
    return static_cast<double>(value);
}
}  // namespace

NdArray NdArray::reshaped(Shape shape) const& {
    return NdArray(*this).reshaped(std::move(shape));
}

NdArray NdArray::reshaped(Shape shape) && {
    requireCount(elementCount(shape));
    m_shape = std::move(shape);
    return std::move(*this);
}

double NdArray::at(std::uint64_t flatIndex) const {
    if (flatIndex >= size()) {
        throw Error(ErrorCode::BadShape,
                    fmt::format("Index {} is outside an array of {} elements.", flatIndex, size()));
    }
    const std::byte* from = m_bytes.data() + flatIndex * sizeOf(m_type);
    switch (m_type) {
        case ElementType::F32:
            return load<float>(from);
        case ElementType::F64:
            return load<double>(from);
        case ElementType::U8:
            return load<std::uint8_t>(from);
        case ElementType::U16:
            return load<std::uint16_t>(from);
        case ElementType::U32:
            return load<std::uint32_t>(from);
        case ElementType::U64:
            return load<std::uint64_t>(from);
        case ElementType::I32:
            return load<std::int32_t>(from);
        case ElementType::I64:
            return load<std::int64_t>(from);
    }
    return 0;
}

std::vector<double> NdArray::toDoubles() const {
    const auto converted = []<typename T>(std::span<const T> from) {
        return std::vector<double>(from.begin(), from.end());
    };
    switch (m_type) {
        case ElementType::F32:
            return converted(values<float>());
        case ElementType::F64:
            return converted(values<double>());
        case ElementType::U8:
            return converted(values<std::uint8_t>());
        case ElementType::U16:
            return converted(values<std::uint16_t>());
        case ElementType::U32:
            return converted(values<std::uint32_t>());
        case ElementType::U64:
            return converted(values<std::uint64_t>());
        case ElementType::I32:
            return converted(values<std::int32_t>());
        case ElementType::I64:
            return converted(values<std::int64_t>());
    }
    return {};
}

}  // namespace moescope
