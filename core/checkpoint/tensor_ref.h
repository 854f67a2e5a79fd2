// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/nd_array.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace moescope::checkpoint {

/// The part of a stored tensor that a logical one is: a matrix [out, in] or a vector [out] inside a
/// tensor that holds several. All indices count values, whatever their packing. The stored tensor
/// is looked at as a matrix, its leading axes merged into rows; for a vector it is a flat list.
struct TensorPart {
    /// The stored tensor's shape, which is checked: {E, 2I, H}.
    Shape whole{};

    /// Logical row i is stored row first + (i / run) * step + i % run: `run` rows behind one
    /// another, the next run `step` further. With `transposed` it is the stored column of that
    /// number.
    struct Rows {
        std::uint64_t first = 0;
        std::uint64_t count = 0;
        std::uint64_t run = 0;
        std::uint64_t step = 0;
        bool operator==(const Rows&) const = default;
    };
    Rows rows{};

    /// Logical columns are stored columns from `first` on, one behind the other; with `transposed`
    /// they are stored rows. A count of 0 makes the logical tensor a vector.
    struct Columns {
        std::uint64_t first = 0;
        std::uint64_t count = 0;
        bool operator==(const Columns&) const = default;
    };
    Columns columns{};
    bool transposed = false;  ///< stored as [in, out]

    bool operator==(const TensorPart&) const = default;
};

/// How values are packed into a stored tensor, beyond its dtype.
enum class Packing {
    None,   ///< an element is a value
    Tiles,  ///< an element times the scale of its tile; tiles begin at row and column 0
    Mxfp4,  ///< two values a byte; blocks of 32 along the last axis share a power of two
    Int4,   ///< eight values an int32; groups along the last axis share a scale
};

/// Where a logical tensor lies in a checkpoint. Most references are a plain name.
struct TensorRef {
    std::string name;                  ///< of the stored tensor; empty: there is none
    std::optional<TensorPart> part{};  ///< nothing: all of it, as it is
    Packing packing = Packing::None;
    std::string scales{};        ///< name of the scales, where values are packed
    std::uint64_t tileRows = 0;  ///< Packing::Tiles: values that share a scale; 0: all of them
    std::uint64_t tileColumns = 0;

    TensorRef() = default;
    // Implicit: a name alone is a reference.
    TensorRef(std::string tensorName) : name(std::move(tensorName)) {}  // NOLINT
    TensorRef(const char* tensorName) : name(tensorName) {}             // NOLINT
    TensorRef(std::string tensorName, TensorPart tensorPart)
        : name(std::move(tensorName)), part(std::move(tensorPart)) {}

    [[nodiscard]] bool empty() const noexcept { return name.empty(); }
    bool operator==(const TensorRef&) const = default;
};

/// For messages: the name, with the part where it is one.
[[nodiscard]] std::string describe(const TensorRef& ref);

/// Rows [first, first + count) of a matrix of this shape, or of that many leading rows merged.
[[nodiscard]] TensorRef rowsOf(std::string name, Shape whole, std::uint64_t first,
                               std::uint64_t count);
/// Runs of `run` rows, `step` apart, `count` rows in all: every second row is a run of 1 and a step
/// of 2.
[[nodiscard]] TensorRef rowRunsOf(std::string name, Shape whole, TensorPart::Rows rows);
/// The transpose of columns [columns.first, +count) in rows [rows.first, +count): a map stored as
/// [in, out], with `out` naming columns (with runs, where needed) and `in` rows.
[[nodiscard]] TensorRef transposedOf(std::string name, Shape whole, TensorPart::Rows out,
                                     TensorPart::Columns in);
/// Elements of a vector inside a tensor, counted in row-major order.
[[nodiscard]] TensorRef elementsOf(std::string name, Shape whole, TensorPart::Rows elements);

}  // namespace moescope::checkpoint
