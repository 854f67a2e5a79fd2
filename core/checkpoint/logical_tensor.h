// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/tensor_ref.h"

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
    [[nodiscard]] const TensorView& view() const { return m_view; }  ///< all of the stored tensor
    [[nodiscard]] Dtype dtype() const { return m_view.dtype; }       ///< as stored

    /// The bytes, where they are plain elements in logical order without gaps.
    [[nodiscard]] std::optional<std::span<const std::byte>> plainBytes() const;
    /// Bytes that the values take in the file. What several parts share counts in one of them, so
    /// that the parts of a tensor add up to it.
    [[nodiscard]] std::uint64_t storedBytes() const;
    /// The same for rows of a matrix whose rows are read one by one.
    [[nodiscard]] std::uint64_t storedRowBytes() const;
    /// Stored values that are NaN or infinite; 0 for integers.
    [[nodiscard]] std::uint64_t countNonFinite() const;

    /// Row-major values of a window inside all(); `to` has rows * columns elements.
    void decode(const Window& window, std::span<float> to) const;
    void decode(const Window& window, std::span<std::uint16_t> to) const;  ///< bfloat16

    /// Streaming hints for the bytes from the first to the last value.
    void willNeed() const;
    void dontNeed() const;

private:
    void requireShape(const TensorRef& ref);
    void requireInside(const TensorRef& ref) const;
    void requireWindow(const Window& window, std::size_t elements) const;
    [[noreturn]] void bad(const TensorRef& ref, const std::string& problem) const;

    [[nodiscard]] std::uint64_t along(std::uint64_t row) const;
    [[nodiscard]] std::uint64_t bytesOf(std::uint64_t elements) const {
        return checkpoint::storedBytes(m_view.dtype, elements);
    }
    [[nodiscard]] std::uint64_t lastAlong() const;
    [[nodiscard]] bool isGapless() const;
    [[nodiscard]] TensorView spanned() const;

    template <typename Out>
    void decodeWindow(const Window& window, Out* to) const;
    template <typename Out>
    void decodeTransposed(const Window& window, Out* to) const;
    [[nodiscard]] std::uint64_t countInRow(std::uint64_t row, std::uint64_t column,
                                           std::uint64_t count) const;
    template <typename Out>
    void values(std::uint64_t row, std::uint64_t column, std::uint64_t count, Out* to) const;

    const Checkpoint& m_checkpoint;
    TensorView m_view;
    TensorPart m_part;  ///< a vector has one column here
    Shape m_shape;
    std::uint64_t m_rows = 0;     ///< of the stored matrix
    std::uint64_t m_columns = 0;  ///< of the stored matrix, in values
};

/// Non-finite elements of stored floating-point values; 0 for integers.
[[nodiscard]] std::uint64_t countNonFinite(Dtype dtype, std::span<const std::byte> bytes);

}  // namespace moescope::checkpoint
