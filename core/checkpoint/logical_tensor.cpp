// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checkpoint/logical_tensor.h"

#include "core/base/error.h"
#include "core/checkpoint/decode.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

namespace moescope::checkpoint {
namespace {

template <typename Word>
std::uint64_t countExponent(std::span<const std::byte> bytes, Word mask) {
    std::uint64_t count = 0;
    const std::size_t words = bytes.size() / sizeof(Word);
    for (std::size_t i = 0; i < words; ++i) {
        Word word;
        std::memcpy(&word, bytes.data() + i * sizeof(Word), sizeof(Word));
        count += static_cast<std::uint64_t>((word & mask) == mask);
    }
    return count;
}

void decodeElements(Dtype dtype, std::span<const std::byte> from, std::span<float> to) {
    decodeToFloat(dtype, from, to);
}
void decodeElements(Dtype dtype, std::span<const std::byte> from, std::span<std::uint16_t> to) {
    decodeToBfloat16(dtype, from, to);
}

constexpr std::size_t kLongestBlock = 256;  ///< values

/// Values of types stored in blocks cannot be looked at without decoding them.
std::uint64_t countInBlocks(Dtype dtype, std::span<const std::byte> bytes) {
    std::uint64_t count = 0;
    std::array<float, kLongestBlock> values;
    const std::size_t size = blockElements(dtype);
    for (std::size_t at = 0; at < bytes.size(); at += sizeOf(dtype)) {
        decodeToFloat(dtype, bytes.subspan(at, sizeOf(dtype)), std::span(values).first(size));
        count += static_cast<std::uint64_t>(
            std::count_if(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(size),
                          [](float value) { return !std::isfinite(value); }));
    }
    return count;
}

}  // namespace

std::uint64_t countNonFinite(Dtype dtype, std::span<const std::byte> bytes) {
    switch (dtype) {
        case Dtype::F64:
            return countExponent<std::uint64_t>(bytes, 0x7FF0000000000000U);
        case Dtype::F32:
            return countExponent<std::uint32_t>(bytes, 0x7F800000U);
        case Dtype::F16:
            return countExponent<std::uint16_t>(bytes, 0x7C00U);
        case Dtype::BF16:
            return countExponent<std::uint16_t>(bytes, 0x7F80U);
        default:
            return blockElements(dtype) > 1 ? countInBlocks(dtype, bytes) : 0;
    }
}

LogicalTensor::LogicalTensor(const Checkpoint& checkpoint, const TensorRef& ref)
    : m_checkpoint(checkpoint), m_view(checkpoint.require(ref.name)) {
    if (ref.packing != Packing::None) {
        bad(ref, "its packing is not known");
    }
    requireShape(ref);
    m_columns = m_view.shape.empty() ? 1 : m_view.shape.back();
    if (!ref.part) {
        m_shape = m_view.shape;
        if (m_view.shape.size() < 2) {
            m_columns = 1;
        }
    }
    if (ref.part && ref.part->columns.count == 0) {
        m_columns = 1;
    }
    m_rows = m_columns == 0 ? 0 : elementCount(m_view.shape) / m_columns;
    if (!ref.part) {
        m_part = {.rows = {0, m_rows, m_rows, m_rows}, .columns = {0, m_columns}};
        return;
    }
    m_part = *ref.part;
    m_shape = m_part.columns.count == 0 ? Shape{m_part.rows.count}
                                        : Shape{m_part.rows.count, m_part.columns.count};
    m_part.columns.count = std::max<std::uint64_t>(m_part.columns.count, 1);
    requireInside(ref);
}

void LogicalTensor::bad(const TensorRef& ref, const std::string& problem) const {
    const auto& file = m_checkpoint.files()[static_cast<std::size_t>(m_view.fileIndex)];
    throw Error(ErrorCode::BadShape,
                fmt::format("{}: tensor \"{}\": {}.", file.path.string(), describe(ref), problem));
}

void LogicalTensor::requireShape(const TensorRef& ref) {
    if (ref.part && m_view.shape != ref.part->whole) {
        const auto& file = m_checkpoint.files()[static_cast<std::size_t>(m_view.fileIndex)];
        throw Error(ErrorCode::BadShape,
                    fmt::format("{}: tensor \"{}\" has the shape [{}], but config.json asks for "
                                "[{}].",
                                file.path.string(), ref.name, fmt::join(m_view.shape, ", "),
                                fmt::join(ref.part->whole, ", ")));
    }
}

void LogicalTensor::requireInside(const TensorRef& ref) const {
    const auto& rows = m_part.rows;
    const bool sensible = rows.count > 0 && rows.run > 0 && rows.step >= rows.run;
    const std::uint64_t length = m_part.transposed ? m_columns : m_rows;
    const std::uint64_t width = m_part.transposed ? m_rows : m_columns;
    if (!sensible || lastAlong() >= length || m_part.columns.first + m_part.columns.count > width) {
        bad(ref, "the part is not inside the tensor");
    }
}

std::uint64_t LogicalTensor::along(std::uint64_t row) const {
    const auto& rows = m_part.rows;
    const std::uint64_t stored = rows.first + row / rows.run * rows.step + row % rows.run;
    if (m_view.interleavedHeads == 0) {
        return stored;
    }
    const std::uint64_t height = m_rows / m_view.interleavedHeads;
    const std::uint64_t inHead = stored % height;
    const std::uint64_t half = height / 2;
    return stored - inHead + 2 * (inHead % half) + inHead / half;
}

std::uint64_t LogicalTensor::lastAlong() const {
    return along(m_part.rows.count - 1);
}

bool LogicalTensor::isGapless() const {
    const bool oneRun = m_part.rows.run >= m_part.rows.count || m_part.rows.run == m_part.rows.step;
    return !m_part.transposed && oneRun && m_part.columns.count == m_columns &&
           m_view.interleavedHeads == 0;
}

/// The stored rows from the first to the last that holds a value of the part.
TensorView LogicalTensor::spanned() const {
    if (m_part.rows.count == 0 || m_view.bytes.empty()) {
        return m_view;
    }
    const std::uint64_t first = m_part.transposed ? m_part.columns.first : m_part.rows.first;
    const std::uint64_t last = m_part.transposed ? first + m_part.columns.count - 1 : lastAlong();
    const std::uint64_t rowBytes = bytesOf(m_columns);
    TensorView part = m_view;
    part.bytes = m_view.bytes.subspan(first * rowBytes, (last - first + 1) * rowBytes);
    part.fileOffset += first * rowBytes;
    return part;
}

std::optional<std::span<const std::byte>> LogicalTensor::plainBytes() const {
    if (!isGapless() || m_view.bytes.empty()) {
        return std::nullopt;
    }
    return spanned().bytes;
}

std::uint64_t LogicalTensor::storedBytes() const {
    return elements() * sizeOf(m_view.dtype) / blockElements(m_view.dtype);
}

std::uint64_t LogicalTensor::storedRowBytes() const {
    return columns() * sizeOf(m_view.dtype) / blockElements(m_view.dtype);
}

std::uint64_t LogicalTensor::countNonFinite() const {
    if (const auto bytes = plainBytes()) {
        return checkpoint::countNonFinite(m_view.dtype, *bytes);
    }
    std::uint64_t found = 0;
    for (std::uint64_t i = 0; i < rows(); i += m_part.rows.run) {
        const std::uint64_t run = std::min(m_part.rows.run, rows() - i);
        if (!m_part.transposed) {
            for (std::uint64_t r = 0; r < run; ++r) {
                found += countInRow(along(i + r), m_part.columns.first, columns());
            }
            continue;
        }
        for (std::uint64_t c = 0; c < columns(); ++c) {
            found += countInRow(m_part.columns.first + c, along(i), run);
        }
    }
    return found;
}

std::uint64_t LogicalTensor::countInRow(std::uint64_t row, std::uint64_t column,
                                        std::uint64_t count) const {
    const std::uint64_t block = blockElements(m_view.dtype);
    const std::uint64_t first = (row * m_columns + column) / block * block;
    const std::uint64_t end = (row * m_columns + column + count + block - 1) / block * block;
    return checkpoint::countNonFinite(m_view.dtype,
                                      m_view.bytes.subspan(bytesOf(first), bytesOf(end - first)));
}

/// `count` values in stored order from this place on; they may run over the end of a row. Blocks
/// that they begin or end within are decoded aside.
template <typename Out>
void LogicalTensor::values(std::uint64_t row, std::uint64_t column, std::uint64_t count,
                           Out* to) const {
    const std::uint64_t block = blockElements(m_view.dtype);
    std::uint64_t at = row * m_columns + column;
    const std::uint64_t end = at + count;
    while (at < end) {
        const std::uint64_t inBlock = at % block;
        const std::uint64_t whole = inBlock == 0 ? (end - at) / block * block : 0;
        if (whole > 0) {
            decodeElements(m_view.dtype, m_view.bytes.subspan(bytesOf(at), bytesOf(whole)),
                           std::span<Out>(to, whole));
            at += whole;
            to += whole;
            continue;
        }
        std::array<Out, kLongestBlock> values;
        const std::uint64_t some = std::min(block - inBlock, end - at);
        decodeElements(m_view.dtype,
                       m_view.bytes.subspan(bytesOf(at - inBlock), sizeOf(m_view.dtype)),
                       std::span<Out>(values.data(), block));
        std::copy_n(values.data() + inBlock, some, to);
        at += some;
        to += some;
    }
}

template <typename Out>
void LogicalTensor::decodeWindow(const Window& window, Out* to) const {
    if (window.rows == 0 || window.columns == 0) {
        return;
    }
    if (m_part.transposed) {
        decodeTransposed(window, to);
        return;
    }
    const bool fullWidth = window.columns == m_columns;
    const std::uint64_t end = window.firstRow + window.rows;
    const std::uint64_t run = m_view.interleavedHeads != 0 ? 1
                              : isGapless()                ? m_part.rows.count
                                                           : m_part.rows.run;
    for (std::uint64_t row = window.firstRow; row < end;) {
        const std::uint64_t together = fullWidth ? std::min(end - row, run - row % run) : 1;
        const std::uint64_t count = together * window.columns;
        values(along(row), m_part.columns.first + window.firstColumn, count, to);
        row += together;
        to += count;
    }
}

/// In blocks: some stored rows are decoded side by side, then written down the columns.
template <typename Out>
void LogicalTensor::decodeTransposed(const Window& window, Out* to) const {
    constexpr std::uint64_t kWidth = 256;
    constexpr std::uint64_t kHeight = 32;
    std::array<Out, kWidth * kHeight> block;
    const std::uint64_t end = window.firstRow + window.rows;
    for (std::uint64_t row = window.firstRow; row < end;) {
        const std::uint64_t first = along(row);
        std::uint64_t together = 1;
        while (row + together < end && along(row + together) - first < kWidth) {
            ++together;
        }
        const std::uint64_t width = along(row + together - 1) - first + 1;
        for (std::uint64_t column = 0; column < window.columns; column += kHeight) {
            const std::uint64_t height = std::min(kHeight, window.columns - column);
            const std::uint64_t from = m_part.columns.first + window.firstColumn + column;
            for (std::uint64_t h = 0; h < height; ++h) {
                values(from + h, first, width, block.data() + h * kWidth);
            }
            for (std::uint64_t r = 0; r < together; ++r) {
                const Out* source = block.data() + (along(row + r) - first);
                Out* target = to + (row - window.firstRow + r) * window.columns + column;
                for (std::uint64_t h = 0; h < height; ++h) {
                    target[h] = source[h * kWidth];
                }
            }
        }
        row += together;
    }
}

void LogicalTensor::requireWindow(const Window& window, std::size_t elements) const {
    const bool inside = window.firstRow <= rows() && window.rows <= rows() - window.firstRow &&
                        window.firstColumn <= columns() &&
                        window.columns <= columns() - window.firstColumn;
    if (!inside || elements != window.rows * window.columns) {
        throw Error(ErrorCode::BadShape,
                    fmt::format("Tensor \"{}\": rows {} and columns {} from ({}, {}) on into {} "
                                "elements do not fit its shape [{}].",
                                m_view.name, window.rows, window.columns, window.firstRow,
                                window.firstColumn, elements, fmt::join(m_shape, ", ")));
    }
}

void LogicalTensor::decode(const Window& window, std::span<float> to) const {
    requireWindow(window, to.size());
    decodeWindow(window, to.data());
}

void LogicalTensor::decode(const Window& window, std::span<std::uint16_t> to) const {
    requireWindow(window, to.size());
    decodeWindow(window, to.data());
}

void LogicalTensor::willNeed() const {
    m_checkpoint.willNeed(spanned());
}

void LogicalTensor::dontNeed() const {
    m_checkpoint.dontNeed(spanned());
}

}  // namespace moescope::checkpoint
