// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checkpoint/tensor_ref.h"

#include <fmt/format.h>

namespace moescope::checkpoint {
namespace {

std::string rangeText(std::uint64_t first, std::uint64_t count) {
    return fmt::format("{} to {}", first, first + count - 1);
}

std::string rowsText(const TensorPart::Rows& rows) {
    if (rows.run >= rows.count) {
        return rangeText(rows.first, rows.count);
    }
    const std::uint64_t runs = (rows.count + rows.run - 1) / rows.run;
    return fmt::format("{} of every {} from {} to {}", rows.run, rows.step, rows.first,
                       rows.first + (runs - 1) * rows.step + rows.run - 1);
}

}  // namespace

std::string describe(const TensorRef& ref) {
    if (!ref.part) {
        return ref.name;
    }
    const TensorPart& part = *ref.part;
    if (part.columns.count == 0) {
        return fmt::format("{} (elements {})", ref.name, rowsText(part.rows));
    }
    const std::string across = rangeText(part.columns.first, part.columns.count);
    const std::string along = rowsText(part.rows);
    return fmt::format("{} (rows {}, columns {})", ref.name, part.transposed ? across : along,
                       part.transposed ? along : across);
}

TensorRef rowsOf(std::string name, Shape whole, std::uint64_t first, std::uint64_t count) {
    return rowRunsOf(std::move(name), std::move(whole),
                     {.first = first, .count = count, .run = count, .step = count});
}

TensorRef rowRunsOf(std::string name, Shape whole, TensorPart::Rows rows) {
    const std::uint64_t columns = whole.back();
    return {std::move(name),
            TensorPart{.whole = std::move(whole), .rows = rows, .columns = {0, columns}}};
}

TensorRef transposedOf(std::string name, Shape whole, TensorPart::Rows out,
                       TensorPart::Columns in) {
    return {std::move(name),
            TensorPart{.whole = std::move(whole), .rows = out, .columns = in, .transposed = true}};
}

TensorRef elementsOf(std::string name, Shape whole, TensorPart::Rows elements) {
    return {std::move(name),
            TensorPart{.whole = std::move(whole), .rows = elements, .columns = {}}};
}

}  // namespace moescope::checkpoint
