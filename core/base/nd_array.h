// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace moescope {

/// Element type of an NdArray and of a dataset in a session.
enum class ElementType { F32, F64, U8, U16, U32, U64, I32, I64 };

[[nodiscard]] std::size_t sizeOf(ElementType type) noexcept;
[[nodiscard]] std::string_view name(
    ElementType type) noexcept;  ///< "float32", "uint16", ... as NumPy says

template <typename T>
constexpr ElementType elementTypeOf();
template <>
constexpr ElementType elementTypeOf<float>() {
    return ElementType::F32;
}
template <>
constexpr ElementType elementTypeOf<double>() {
    return ElementType::F64;
}
template <>
constexpr ElementType elementTypeOf<std::uint8_t>() {
    return ElementType::U8;
}
template <>
constexpr ElementType elementTypeOf<std::uint16_t>() {
    return ElementType::U16;
}
template <>
constexpr ElementType elementTypeOf<std::uint32_t>() {
    return ElementType::U32;
}
template <>
constexpr ElementType elementTypeOf<std::uint64_t>() {
    return ElementType::U64;
}
template <>
constexpr ElementType elementTypeOf<std::int32_t>() {
    return ElementType::I32;
}
template <>
constexpr ElementType elementTypeOf<std::int64_t>() {
    return ElementType::I64;
}

using Shape = std::vector<std::uint64_t>;

/// Product of the dimensions; 1 for an empty shape. Throws Error(BadShape) on 64-bit overflow.
[[nodiscard]] std::uint64_t elementCount(const Shape& shape);

/// A dense, row-major, owning array with a run-time element type: what experiments hand to the
/// session and what the window gets back. Thread-compatible; share it as shared_ptr<const NdArray>.
class NdArray {
public:
    NdArray() = default;
    /// Zero-filled.
    NdArray(ElementType type, Shape shape);

    /// Throws Error(BadShape) when the number of values is not the shape's.
    template <typename T>
    [[nodiscard]] static NdArray from(Shape shape, std::span<const T> values);

    [[nodiscard]] ElementType type() const noexcept { return m_type; }
    [[nodiscard]] const Shape& shape() const noexcept { return m_shape; }
    [[nodiscard]] std::uint64_t size() const { return elementCount(m_shape); }
    [[nodiscard]] bool empty() const { return m_bytes.empty(); }
    [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return m_bytes; }
    [[nodiscard]] std::span<std::byte> bytes() noexcept { return m_bytes; }

    /// The elements; throws Error(BadShape) when T is not the element type.
    template <typename T>
    [[nodiscard]] std::span<const T> values() const {
        require(elementTypeOf<T>());
        return {reinterpret_cast<const T*>(m_bytes.data()), m_bytes.size() / sizeof(T)};
    }
    template <typename T>
    [[nodiscard]] std::span<T> values() {
        require(elementTypeOf<T>());
        return {reinterpret_cast<T*>(m_bytes.data()), m_bytes.size() / sizeof(T)};
    }

    /// The same elements under another shape; throws Error(BadShape) when the counts differ.
    [[nodiscard]] NdArray reshaped(Shape shape) const&;
    [[nodiscard]] NdArray reshaped(Shape shape) &&;

    /// Any element type, converted.
    [[nodiscard]] double at(std::uint64_t flatIndex) const;
    [[nodiscard]] std::vector<double> toDoubles() const;

    bool operator==(const NdArray&) const = default;

private:
    void require(ElementType wanted) const;
    void requireCount(std::size_t count) const;

    ElementType m_type = ElementType::F32;
    Shape m_shape{0};
    std::vector<std::byte> m_bytes;
};

template <typename T>
NdArray NdArray::from(Shape shape, std::span<const T> values) {
    NdArray array(elementTypeOf<T>(), std::move(shape));
    array.requireCount(values.size());
    std::copy(values.begin(), values.end(), array.values<T>().begin());
    return array;
}

}  // namespace moescope
