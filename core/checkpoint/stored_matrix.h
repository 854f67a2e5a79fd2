// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/tensor_ref.h"

#include <cstdint>
#include <span>
#include <string>

namespace moescope::checkpoint {

/// Rows from `first` on.
struct RowRange {
    std::uint64_t first = 0;
    std::uint64_t count = 0;
};

/// A whole stored tensor as a matrix of values, its leading axes merged into rows, whatever its
/// packing: shape, bytes and decoding. Rows of packed values begin at a byte. Used by
/// LogicalTensor.
class StoredMatrix {
public:
    /// Finds the tensor and its scales, and checks that they belong together; data need not be
    /// there. Throws Error(MissingTensor | BadShape | Unsupported) naming file and tensor.
    StoredMatrix(const Checkpoint& checkpoint, const TensorRef& ref);

    [[nodiscard]] const Checkpoint& checkpoint() const { return *m_checkpoint; }
    [[nodiscard]] const TensorView& view() const { return m_view; }
    [[nodiscard]] Packing packing() const { return m_packing; }
    [[nodiscard]] const Shape& shape() const { return m_shape; }  ///< in values
    [[nodiscard]] std::uint64_t rows() const { return m_rows; }
    [[nodiscard]] std::uint64_t columns() const { return m_columns; }
    /// To a list of values: one column.
    void flatten();

    [[nodiscard]] std::uint64_t rowBytes() const;  ///< without scales
    [[nodiscard]] std::uint64_t rowScaleBytes() const;
    [[nodiscard]] std::span<const std::byte> bytesOf(RowRange rows) const;
    /// Whether a scale begins at this row, or column: its first value lies there.
    [[nodiscard]] bool scaleBeginsAtRow(std::uint64_t row) const;
    [[nodiscard]] bool scaleBeginsAtColumn(std::uint64_t column) const;
    [[nodiscard]] std::uint64_t scaleBytes() const;  ///< of one

    /// Whether a look at codes and scales leaves open that a value is NaN or infinite.
    [[nodiscard]] bool mayBeNonFinite(RowRange rows) const;

    /// `count` values in stored order from this place on; they may run over the end of a row. Out
    /// is float or std::uint16_t (bfloat16).
    template <typename Out>
    void values(std::uint64_t row, std::uint64_t column, std::uint64_t count, Out* to) const;

    void willNeed(RowRange rows) const;
    void dontNeed(RowRange rows) const;

    /// Throws Error(BadShape).
    [[noreturn]] void bad(const std::string& tensor, const std::string& problem) const;

private:
    Shape readTiles(const TensorRef& ref);
    Shape readMxfp4(const TensorRef& ref);
    Shape readInt4(const TensorRef& ref);
    void requireScales(const TensorRef& ref, const Shape& expected) const;
    [[nodiscard]] std::uint64_t scaleRowOf(std::uint64_t row) const;
    [[nodiscard]] RowRange scaleRows(RowRange rows) const;
    [[nodiscard]] float scaleAt(std::uint64_t row, std::uint64_t column) const;
    template <typename Out>
    void plainValues(std::uint64_t at, std::uint64_t count, Out* to) const;
    template <typename Out>
    void packedValues(std::uint64_t row, std::uint64_t column, std::uint64_t count, Out* to) const;

    const Checkpoint* m_checkpoint;
    TensorView m_view;
    TensorView m_scales;
    Packing m_packing = Packing::None;
    Shape m_shape;
    std::uint64_t m_rows = 0;
    std::uint64_t m_columns = 0;
    /// Values that share a scale. Tiles begin anew with every matrix of m_matrixRows rows.
    std::uint64_t m_matrixRows = 1;
    std::uint64_t m_tileRows = 1;
    std::uint64_t m_tileColumns = 1;
    std::uint64_t m_scaleColumns = 0;
};

}  // namespace moescope::checkpoint
