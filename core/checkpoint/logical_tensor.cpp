// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checkpoint/logical_tensor.h"

#include "core/base/error.h"
#include "core/checkpoint/non_finite.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace moescope::checkpoint {

LogicalTensor::LogicalTensor(const Checkpoint& checkpoint, const TensorRef& ref)
    : m_matrix(checkpoint, ref), m_shape(m_matrix.shape()) {
    if (!ref.part) {
        const std::uint64_t rows = m_matrix.rows();
        m_part = {.rows = {0, rows, rows, rows}, .columns = {0, m_matrix.columns()}};
        return;
    }
    m_part = *ref.part;
    if (m_shape != m_part.whole) {
        m_matrix.bad(ref.name,
                     fmt::format("its shape is [{}], but config.json asks for [{}]",
                                 fmt::join(m_shape, ", "), fmt::join(m_part.whole, ", ")));
    }
    m_shape = {m_part.rows.count};
    if (m_part.columns.count == 0) {
        m_matrix.flatten();
        m_part.columns = {0, 1};
    } else {
        m_shape.push_back(m_part.columns.count);
    }
    requireInside(ref);
}

void LogicalTensor::requireInside(const TensorRef& ref) const {
    const auto& rows = m_part.rows;
    const bool sensible = rows.count > 0 && rows.run > 0 && rows.step >= rows.run;
    const std::uint64_t length = m_part.transposed ? m_matrix.columns() : m_matrix.rows();
    const std::uint64_t width = m_part.transposed ? m_matrix.rows() : m_matrix.columns();
    if (!sensible || along(rows.count - 1) >= length ||
        m_part.columns.first + m_part.columns.count > width) {
        m_matrix.bad(describe(ref), "the part is not inside the tensor");
    }
}

std::uint64_t LogicalTensor::along(std::uint64_t row) const {
    const auto& rows = m_part.rows;
    const std::uint64_t stored = rows.first + row / rows.run * rows.step + row % rows.run;
    if (view().interleavedHeads == 0) {
        return stored;
    }
    const std::uint64_t height = m_matrix.rows() / view().interleavedHeads;
    const std::uint64_t inHead = stored % height;
    const std::uint64_t half = height / 2;
    return stored - inHead + 2 * (inHead % half) + inHead / half;
}

bool LogicalTensor::isGapless() const {
    const bool oneRun = m_part.rows.run >= m_part.rows.count || m_part.rows.run == m_part.rows.step;
    return !m_part.transposed && oneRun && m_part.columns.count == m_matrix.columns() &&
           view().interleavedHeads == 0;
}

/// From the first to the last that holds a value of the part.
RowRange LogicalTensor::storedRows() const {
    if (m_part.rows.count == 0) {
        return {};
    }
    if (m_part.transposed) {
        return {m_part.columns.first, m_part.columns.count};
    }
    return {m_part.rows.first, along(m_part.rows.count - 1) - m_part.rows.first + 1};
}

std::optional<std::span<const std::byte>> LogicalTensor::plainBytes() const {
    if (packing() != Packing::None || !isGapless() || view().bytes.empty()) {
        return std::nullopt;
    }
    return m_matrix.bytesOf(storedRows());
}

std::optional<TensorView> LogicalTensor::plainView() const {
    const auto bytes = plainBytes();
    if (!bytes) {
        return std::nullopt;
    }
    TensorView part = view();
    part.fileOffset += static_cast<std::uint64_t>(bytes->data() - part.bytes.data());
    part.bytes = *bytes;
    return part;
}

/// Scales whose first value belongs to the part.
std::uint64_t LogicalTensor::ownScales() const {
    const bool turned = m_part.transposed;
    std::uint64_t down = 0;
    std::uint64_t across = 0;
    for (std::uint64_t i = 0; i < rows(); ++i) {
        const std::uint64_t at = along(i);
        down += static_cast<std::uint64_t>(turned ? m_matrix.scaleBeginsAtColumn(at)
                                                  : m_matrix.scaleBeginsAtRow(at));
    }
    for (std::uint64_t i = 0; i < columns(); ++i) {
        const std::uint64_t at = m_part.columns.first + i;
        across += static_cast<std::uint64_t>(turned ? m_matrix.scaleBeginsAtRow(at)
                                                    : m_matrix.scaleBeginsAtColumn(at));
    }
    return down * across;
}

std::uint64_t LogicalTensor::storedBytes() const {
    if (packing() == Packing::None) {
        return checkpoint::storedBytes(dtype(), elements());
    }
    // A whole row has its padding too.
    const bool wholeRows = !m_part.transposed && columns() == m_matrix.columns();
    const std::uint64_t values = wholeRows ? rows() * m_matrix.rowBytes()
                                           : elements() * m_matrix.rowBytes() / m_matrix.columns();
    return values + ownScales() * m_matrix.scaleBytes();
}

std::uint64_t LogicalTensor::storedRowBytes() const {
    if (packing() == Packing::None) {
        return checkpoint::storedBytes(dtype(), columns());
    }
    // Scales that rows share are read once, in all too little to tell.
    const bool own = packing() != Packing::Tiles;
    return m_matrix.rowBytes() + (own ? m_matrix.rowScaleBytes() : 0);
}

std::uint64_t LogicalTensor::countNonFinite() const {
    if (const auto bytes = plainBytes()) {
        return checkpoint::countNonFinite(dtype(), *bytes);
    }
    if (!m_matrix.mayBeNonFinite(storedRows())) {
        return 0;
    }
    constexpr std::uint64_t kChunk = std::uint64_t{1} << 14U;
    const std::uint64_t step =
        std::max<std::uint64_t>(1, kChunk / std::max<std::uint64_t>(1, columns()));
    std::vector<float> chunk;
    std::uint64_t found = 0;
    for (std::uint64_t row = 0; row < rows(); row += step) {
        const std::uint64_t count = std::min(step, rows() - row);
        chunk.resize(count * columns());
        decode({row, count, 0, columns()}, chunk);
        found += static_cast<std::uint64_t>(std::count_if(
            chunk.begin(), chunk.end(), [](float value) { return !std::isfinite(value); }));
    }
    return found;
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
    const bool fullWidth = window.columns == m_matrix.columns();
    const std::uint64_t end = window.firstRow + window.rows;
    const std::uint64_t run = view().interleavedHeads != 0 ? 1
                              : isGapless()                ? m_part.rows.count
                                                           : m_part.rows.run;
    for (std::uint64_t row = window.firstRow; row < end;) {
        const std::uint64_t together = fullWidth ? std::min(end - row, run - row % run) : 1;
        const std::uint64_t count = together * window.columns;
        m_matrix.values(along(row), m_part.columns.first + window.firstColumn, count, to);
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
                m_matrix.values(from + h, first, width, block.data() + h * kWidth);
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
                                view().name, window.rows, window.columns, window.firstRow,
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
    m_matrix.willNeed(storedRows());
}

void LogicalTensor::dontNeed() const {
    m_matrix.dontNeed(storedRows());
}

}  // namespace moescope::checkpoint
