// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checkpoint/stored_matrix.h"

#include "core/base/error.h"
#include "core/checkpoint/decode.h"
#include "core/checkpoint/decode_quantised.h"
#include "core/checkpoint/non_finite.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace moescope::checkpoint {
namespace {

constexpr std::uint64_t kMxfp4Block = 32;   ///< values to a scale
constexpr std::uint64_t kInt4Word = 8;      ///< values to an int32
constexpr std::size_t kLongestBlock = 256;  ///< values

std::uint64_t tilesIn(std::uint64_t length, std::uint64_t tile) {
    return tile == 0 ? 0 : (length + tile - 1) / tile;
}

void decodeElements(Dtype dtype, std::span<const std::byte> from, std::span<float> to) {
    decodeToFloat(dtype, from, to);
}
void decodeElements(Dtype dtype, std::span<const std::byte> from, std::span<std::uint16_t> to) {
    decodeToBfloat16(dtype, from, to);
}

TensorView rowsOfView(const TensorView& view, std::uint64_t rowBytes, RowRange rows) {
    TensorView part = view;
    if (!view.bytes.empty()) {
        part.bytes = view.bytes.subspan(rows.first * rowBytes, rows.count * rowBytes);
        part.fileOffset += rows.first * rowBytes;
    }
    return part;
}

}  // namespace

StoredMatrix::StoredMatrix(const Checkpoint& checkpoint, const TensorRef& ref)
    : m_checkpoint(&checkpoint),
      m_view(checkpoint.require(ref.name)),
      m_packing(ref.packing),
      m_shape(m_view.shape) {
    if (m_packing != Packing::None) {
        m_scales = checkpoint.require(ref.scales);
        if (m_shape.size() < 2 || elementCount(m_shape) == 0) {
            bad(ref.name, "packed values must be a matrix that is not empty");
        }
        Shape scales;
        switch (m_packing) {
            case Packing::None:
                break;
            case Packing::Tiles:
                scales = readTiles(ref);
                break;
            case Packing::Mxfp4:
                scales = readMxfp4(ref);
                break;
            case Packing::Int4:
                scales = readInt4(ref);
                break;
        }
        m_scaleColumns = scales.back();
        requireScales(ref, scales);
    }
    m_columns = m_shape.size() < 2 ? 1 : m_shape.back();
    m_rows = m_columns == 0 ? 0 : elementCount(m_shape) / m_columns;
}

void StoredMatrix::bad(const std::string& tensor, const std::string& problem) const {
    const auto& file = m_checkpoint->files()[static_cast<std::size_t>(m_view.fileIndex)];
    throw Error(ErrorCode::BadShape,
                fmt::format("{}: tensor \"{}\": {}.", file.path.string(), tensor, problem));
}

void StoredMatrix::flatten() {
    m_columns = 1;
    m_rows = elementCount(m_shape);
}

// Each of the following sets shape and tiles and returns the shape that the scales must have.

Shape StoredMatrix::readTiles(const TensorRef& ref) {
    constexpr std::array kKnown{Dtype::F8_E4M3, Dtype::F8_E5M2, Dtype::I8, Dtype::U8};
    if (std::find(kKnown.begin(), kKnown.end(), m_view.dtype) == kKnown.end()) {
        bad(ref.name, fmt::format("{} does not go with scales", name(m_view.dtype)));
    }
    m_matrixRows = m_shape[m_shape.size() - 2];
    m_tileRows = ref.tileRows == 0 ? m_matrixRows : ref.tileRows;
    m_tileColumns = ref.tileColumns == 0 ? m_shape.back() : ref.tileColumns;
    Shape scales(m_shape.begin(), m_shape.end() - 2);
    scales.push_back(tilesIn(m_matrixRows, m_tileRows));
    scales.push_back(tilesIn(m_shape.back(), m_tileColumns));
    return scales;
}

Shape StoredMatrix::readMxfp4(const TensorRef& ref) {
    if (m_view.dtype != Dtype::U8 || m_shape.size() < 3 || m_shape.back() != kMxfp4Block / 2) {
        bad(ref.name, "MXFP4 values come in blocks of 16 bytes (U8)");
    }
    m_shape.pop_back();
    Shape scales = m_shape;
    m_shape.back() *= kMxfp4Block;
    m_tileColumns = kMxfp4Block;
    return scales;
}

Shape StoredMatrix::readInt4(const TensorRef& ref) {
    const bool known = ref.part && ref.part->whole.size() == 2 && m_shape.size() == 2;
    if (m_view.dtype != Dtype::I32 || !known ||
        tilesIn(ref.part->whole.back(), kInt4Word) != m_shape.back()) {
        bad(ref.name, fmt::format("[{}] as {} is not the matrix that config.json asks for, eight "
                                  "values to an I32",
                                  fmt::join(m_shape, ", "), name(m_view.dtype)));
    }
    m_shape.back() = ref.part->whole.back();
    m_tileColumns = ref.tileColumns == 0 ? m_shape.back() : ref.tileColumns;
    return {m_shape.front(), tilesIn(m_shape.back(), m_tileColumns)};
}

/// A single scale may have any number of axes; a scale per row may leave out the last.
void StoredMatrix::requireScales(const TensorRef& ref, const Shape& expected) const {
    const bool single = elementCount(expected) == 1 && elementCount(m_scales.shape) == 1;
    const bool perRow =
        expected.back() == 1 && m_scales.shape == Shape(expected.begin(), expected.end() - 1);
    const bool readable = m_packing == Packing::Mxfp4
                              ? m_scales.dtype == Dtype::U8
                              : m_scales.dtype == Dtype::F32 || m_scales.dtype == Dtype::BF16 ||
                                    m_scales.dtype == Dtype::F16;
    if (!readable || !(single || perRow || m_scales.shape == expected)) {
        bad(ref.scales, fmt::format("it is [{}] as {}, but \"{}\" has scales [{}]",
                                    fmt::join(m_scales.shape, ", "), name(m_scales.dtype), ref.name,
                                    fmt::join(expected, ", ")));
    }
}

std::uint64_t StoredMatrix::rowBytes() const {
    switch (m_packing) {
        case Packing::None:
        case Packing::Tiles:
            return storedBytes(m_view.dtype, m_columns);
        case Packing::Mxfp4:
            return m_columns / 2;
        case Packing::Int4:
            return tilesIn(m_columns, kInt4Word) * sizeof(std::uint32_t);
    }
    return 0;
}

std::uint64_t StoredMatrix::rowScaleBytes() const {
    return m_packing == Packing::None ? 0 : m_scaleColumns * scaleBytes();
}

std::uint64_t StoredMatrix::scaleBytes() const {
    return sizeOf(m_scales.dtype);
}

std::span<const std::byte> StoredMatrix::bytesOf(RowRange rows) const {
    const std::uint64_t size = rowBytes();
    return m_view.bytes.empty() ? m_view.bytes
                                : m_view.bytes.subspan(rows.first * size, rows.count * size);
}

std::uint64_t StoredMatrix::scaleRowOf(std::uint64_t row) const {
    if (m_packing != Packing::Tiles) {
        return row;
    }
    return row / m_matrixRows * tilesIn(m_matrixRows, m_tileRows) + row % m_matrixRows / m_tileRows;
}

RowRange StoredMatrix::scaleRows(RowRange rows) const {
    if (m_packing == Packing::None || rows.count == 0) {
        return {};
    }
    const std::uint64_t first = scaleRowOf(rows.first);
    return {first, scaleRowOf(rows.first + rows.count - 1) - first + 1};
}

bool StoredMatrix::scaleBeginsAtRow(std::uint64_t row) const {
    return m_packing != Packing::Tiles || row % m_matrixRows % m_tileRows == 0;
}

bool StoredMatrix::scaleBeginsAtColumn(std::uint64_t column) const {
    return column % m_tileColumns == 0;
}

/// By row of the scales and column of the values.
float StoredMatrix::scaleAt(std::uint64_t row, std::uint64_t column) const {
    const std::size_t size = scaleBytes();
    const auto bytes =
        m_scales.bytes.subspan((row * m_scaleColumns + column / m_tileColumns) * size, size);
    if (m_packing == Packing::Mxfp4) {
        return powerOfTwoScale(bytes.front());
    }
    float scale = 0.0F;
    decodeToFloat(m_scales.dtype, bytes, {&scale, 1});
    return scale;
}

bool StoredMatrix::mayBeNonFinite(RowRange rows) const {
    if (countNonFinite(m_view.dtype, bytesOf(rows)) > 0) {
        return true;
    }
    // Stored values are below 2^16 (57344 is E5M2's largest).
    constexpr float kSafeScale = 0x1p111F;
    const RowRange range = scaleRows(rows);
    for (std::uint64_t row = range.first; row < range.first + range.count; ++row) {
        for (std::uint64_t column = 0; column < m_columns; column += m_tileColumns) {
            if (!(std::abs(scaleAt(row, column)) < kSafeScale)) {
                return true;
            }
        }
    }
    return false;
}

template <typename Out>
void StoredMatrix::values(std::uint64_t row, std::uint64_t column, std::uint64_t count,
                          Out* to) const {
    if (m_packing == Packing::None) {
        plainValues(row * m_columns + column, count, to);
        return;
    }
    while (count > 0) {
        const std::uint64_t inRow = std::min(count, m_columns - column);
        packedValues(row, column, inRow, to);
        to += inRow;
        count -= inRow;
        column = 0;
        ++row;
    }
}

/// From the `at`th on. Types whose elements are quantised in blocks are decoded by blocks; those
/// that the values begin or end within aside.
template <typename Out>
void StoredMatrix::plainValues(std::uint64_t at, std::uint64_t count, Out* to) const {
    const std::uint64_t block = blockElements(m_view.dtype);
    const std::uint64_t end = at + count;
    while (at < end) {
        const std::uint64_t inBlock = at % block;
        const std::uint64_t whole = inBlock == 0 ? (end - at) / block * block : 0;
        if (whole > 0) {
            decodeElements(m_view.dtype,
                           m_view.bytes.subspan(storedBytes(m_view.dtype, at),
                                                storedBytes(m_view.dtype, whole)),
                           std::span<Out>(to, whole));
            at += whole;
            to += whole;
            continue;
        }
        std::array<Out, kLongestBlock> values;
        const std::uint64_t some = std::min(block - inBlock, end - at);
        decodeElements(
            m_view.dtype,
            m_view.bytes.subspan(storedBytes(m_view.dtype, at - inBlock), sizeOf(m_view.dtype)),
            std::span<Out>(values.data(), block));
        std::copy_n(values.data() + inBlock, some, to);
        at += some;
        to += some;
    }
}

template void StoredMatrix::values(std::uint64_t, std::uint64_t, std::uint64_t, float*) const;
template void StoredMatrix::values(std::uint64_t, std::uint64_t, std::uint64_t,
                                   std::uint16_t*) const;

/// Values of one row, from scale to scale.
template <typename Out>
void StoredMatrix::packedValues(std::uint64_t row, std::uint64_t column, std::uint64_t count,
                                Out* to) const {
    const auto bytes = bytesOf({row, 1});
    const std::uint64_t scaleRow = scaleRowOf(row);
    while (count > 0) {
        const std::uint64_t together = std::min(count, m_tileColumns - column % m_tileColumns);
        const float scale = scaleAt(scaleRow, column);
        const std::span<Out> out(to, together);
        if (m_packing == Packing::Tiles) {
            const std::size_t size = sizeOf(m_view.dtype);
            decodeScaled(m_view.dtype, bytes.subspan(column * size, together * size), scale, out);
        } else {
            decodeNibbles(m_packing == Packing::Mxfp4 ? Nibble::E2M1 : Nibble::Offset8, bytes,
                          column, scale, out);
        }
        to += together;
        column += together;
        count -= together;
    }
}

void StoredMatrix::willNeed(RowRange rows) const {
    m_checkpoint->willNeed(rowsOfView(m_view, rowBytes(), rows));
    if (m_packing != Packing::None) {
        m_checkpoint->willNeed(rowsOfView(m_scales, rowScaleBytes(), scaleRows(rows)));
    }
}

void StoredMatrix::dontNeed(RowRange rows) const {
    m_checkpoint->dontNeed(rowsOfView(m_view, rowBytes(), rows));
    if (m_packing != Packing::None) {
        m_checkpoint->dontNeed(rowsOfView(m_scales, rowScaleBytes(), scaleRows(rows)));
    }
}

}  // namespace moescope::checkpoint
