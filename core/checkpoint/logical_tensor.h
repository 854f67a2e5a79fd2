// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/checkpoint/stored_matrix.h"

#include <optional>
#include <span>

namespace moescope::checkpoint {

/// Rows and columns of a logical matrix; a vector has one column.
struct Window {
    std::uint64_t firstRow = 0;
    std::uint64_t rows = 0;
    std::uint64_t firstColumn = 0;
    std::uint64_t columns = 0;
};

/// A logical tensor found in a checkpoint: its shape, its bytes, and its values in any window,
/// decoded without touching more of the file than they lie in. Of more than two axes all but the
/// last count as rows. Refers to the checkpoint, which must
/// outlive it. Reading is thread-safe.
class LogicalTensor {
public:
    /// Throws Error(MissingTensor | BadShape | Unsupported) naming file and tensor; data need not
    /// be there.
    LogicalTensor(const Checkpoint& checkpoint, const TensorRef& ref);

    [[nodiscard]] const Shape& shape() const { return m_shape; }  ///< logical
    [[nodiscard]] std::uint64_t elements() const { return elementCount(m_shape); }
    [[nodiscard]] std::uint64_t rows() const { return m_part.rows.count; }
    [[nodiscard]] std::uint64_t columns() const { return m_part.columns.count; }
    [[nodiscard]] Window all() const { return {0, rows(), 0, columns()}; }
    [[nodiscard]] const TensorView& view() const { return m_matrix.view(); }  ///< all of it
    [[nodiscard]] Dtype dtype() const { return view().dtype; }  ///< of the stored elements
    [[nodiscard]] Packing packing() const { return m_matrix.packing(); }

    /// The bytes, where they are plain elements in logical order without gaps.
    [[nodiscard]] std::optional<std::span<const std::byte>> plainBytes() const;
    /// The same with their place in the file.
    [[nodiscard]] std::optional<TensorView> plainView() const;
    /// Bytes that the values take in the file, with their scales. What several parts share counts
    /// in one of them, so that the parts of a tensor add up to it.
    [[nodiscard]] std::uint64_t storedBytes() const;
    /// The same for rows of a matrix whose rows are read one by one.
    [[nodiscard]] std::uint64_t storedRowBytes() const;
    /// Values that are NaN or infinite.
    [[nodiscard]] std::uint64_t countNonFinite() const;

    /// Row-major values of a window inside all(); `to` has rows * columns elements.
    void decode(const Window& window, std::span<float> to) const;
    void decode(const Window& window, std::span<std::uint16_t> to) const;  ///< bfloat16

    /// Streaming hints for the bytes from the first to the last value.
    void willNeed() const;
    void dontNeed() const;

private:
    void requireInside(const TensorRef& ref) const;
    void requireWindow(const Window& window, std::size_t elements) const;
    /// The stored row of a logical one; with TensorPart::transposed the stored column.
    [[nodiscard]] std::uint64_t along(std::uint64_t row) const;
    [[nodiscard]] bool isGapless() const;
    [[nodiscard]] RowRange storedRows() const;
    [[nodiscard]] std::uint64_t ownScales() const;

    template <typename Out>
    void decodeWindow(const Window& window, Out* to) const;
    template <typename Out>
    void decodeTransposed(const Window& window, Out* to) const;

    StoredMatrix m_matrix;
    TensorPart m_part;  ///< a vector has one column here
    Shape m_shape;
};

}  // namespace moescope::checkpoint
