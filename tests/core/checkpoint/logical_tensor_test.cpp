// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checkpoint/logical_tensor.h"

#include "core/checkpoint/decode.h"
#include "tests/support/catch.h"
#include "tests/support/safetensors_builder.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/throws.h"

#include <functional>
#include <random>
#include <vector>

using namespace moescope;
using namespace moescope::checkpoint;
using tests::checkThrows;

namespace {

/// A tensor [5, 42, 37] (for which see the part of that shape below), its values counted up from 0
/// so that every one is found again, in float32 and bfloat16; and a vector.
struct Fused {
    static constexpr std::uint64_t kE = 5;
    static constexpr std::uint64_t kRows = 42;
    static constexpr std::uint64_t kColumns = 37;

    Fused() : folder(root / "model") {
        std::filesystem::create_directories(folder);
        tests::writeFile(folder / "config.json", "{}");
        std::vector<float> values(kE * kRows * kColumns);
        std::vector<std::uint16_t> halves(values.size());
        for (std::size_t i = 0; i < values.size(); ++i) {
            // Few enough bits for bfloat16, and no two neighbours or rows alike.
            values[i] = static_cast<float>((i * 7 + i / kColumns * 3) % 251) - 125.0F;
            halves[i] = toBfloat16(values[i]);
        }
        all = values;
        tests::SafetensorsBuilder()
            .addFloats("wide", {kE, kRows, kColumns}, values)
            .add("narrow", Dtype::BF16, {kE, kRows, kColumns},
                 {reinterpret_cast<const char*>(halves.data()), halves.size() * 2})
            .addFloats("flat", {kE * kRows, kColumns}, values)
            .addFloats("vectors", {kE, kRows}, std::span(values).first(kE * kRows))
            .write(folder / "model.safetensors");
    }

    tests::TemporaryFolder root;
    std::filesystem::path folder;
    std::vector<float> all;
};

using Index = std::function<std::uint64_t(std::uint64_t row, std::uint64_t column)>;

/// Every window of some sizes holds the values at index(row, column) of the whole.
void checkWindows(const LogicalTensor& tensor, const std::vector<float>& all, const Index& index) {
    std::mt19937 random(7);
    for (int attempt = 0; attempt < 60; ++attempt) {
        const auto draw = [&](std::uint64_t count) {
            return std::uniform_int_distribution<std::uint64_t>(0, count)(random);
        };
        Window window = tensor.all();
        if (attempt > 0) {
            window.firstRow = draw(tensor.rows() - 1);
            window.rows = draw(tensor.rows() - window.firstRow);
            window.firstColumn = draw(tensor.columns() - 1);
            window.columns = draw(tensor.columns() - window.firstColumn);
        }
        std::vector<float> expected;
        for (std::uint64_t r = 0; r < window.rows; ++r) {
            for (std::uint64_t c = 0; c < window.columns; ++c) {
                expected.push_back(all[index(window.firstRow + r, window.firstColumn + c)]);
            }
        }
        std::vector<float> found(expected.size());
        tensor.decode(window, found);
        REQUIRE(found == expected);
        std::vector<std::uint16_t> narrow(expected.size());
        tensor.decode(window, narrow);
        for (std::size_t i = 0; i < narrow.size(); ++i) {
            REQUIRE(narrow[i] == toBfloat16(expected[i]));
        }
    }
}

}  // namespace

TEST_CASE("LogicalTensor: parts of a tensor that holds several matrices", "[core][checkpoint]") {
    const Fused fused;
    const Checkpoint checkpoint(fused.folder);
    const Shape shape{Fused::kE, Fused::kRows, Fused::kColumns};
    const std::string name = GENERATE("wide", "narrow");
    const auto at = [](std::uint64_t row, std::uint64_t column) {
        return row * Fused::kColumns + column;
    };

    SECTION("the whole") {
        const LogicalTensor tensor(checkpoint, name);
        CHECK(tensor.shape() == shape);
        CHECK(tensor.rows() == Fused::kE * Fused::kRows);
        checkWindows(tensor, fused.all, at);
    }
    SECTION("rows") {
        const LogicalTensor tensor(checkpoint, rowsOf(name, shape, 2 * Fused::kRows + 21, 21));
        CHECK(tensor.shape() == Shape{21, Fused::kColumns});
        REQUIRE(tensor.plainBytes());
        const auto& whole = tensor.view().bytes;
        CHECK(tensor.plainBytes()->data() ==
              whole.data() + (2 * Fused::kRows + 21) * Fused::kColumns * sizeOf(tensor.dtype()));
        checkWindows(tensor, fused.all,
                     [&](auto r, auto c) { return at(2 * Fused::kRows + 21 + r, c); });
    }
    SECTION("every second row") {
        const LogicalTensor tensor(
            checkpoint, rowRunsOf(name, shape, {.first = 43, .count = 21, .run = 1, .step = 2}));
        CHECK_FALSE(tensor.plainBytes());
        checkWindows(tensor, fused.all, [&](auto r, auto c) { return at(43 + 2 * r, c); });
    }
    SECTION("runs of rows") {
        const LogicalTensor tensor(
            checkpoint, rowRunsOf(name, shape, {.first = 3, .count = 14, .run = 4, .step = 9}));
        checkWindows(tensor, fused.all,
                     [&](auto r, auto c) { return at(3 + r / 4 * 9 + r % 4, c); });
    }
    SECTION("transposed columns") {
        const LogicalTensor tensor(
            checkpoint, transposedOf(name, shape, {.first = 20, .count = 17, .run = 17, .step = 17},
                                     {.first = 3 * Fused::kRows, .count = Fused::kRows}));
        CHECK(tensor.shape() == Shape{17, Fused::kRows});
        checkWindows(tensor, fused.all,
                     [&](auto r, auto c) { return at(3 * Fused::kRows + c, 20 + r); });
    }
    SECTION("transposed, every second column") {
        const LogicalTensor tensor(
            checkpoint, transposedOf(name, shape, {.first = 1, .count = 18, .run = 1, .step = 2},
                                     {.first = Fused::kRows, .count = Fused::kRows}));
        checkWindows(tensor, fused.all,
                     [&](auto r, auto c) { return at(Fused::kRows + c, 1 + 2 * r); });
    }
}

TEST_CASE("LogicalTensor: a wide transposed part crosses blocks", "[core][checkpoint]") {
    const tests::TemporaryFolder root;
    tests::writeFile(root / "config.json", "{}");
    constexpr std::uint64_t kRows = 71;
    constexpr std::uint64_t kColumns = 600;
    std::vector<float> values(kRows * kColumns);
    for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] = static_cast<float>(i % 253);
    }
    tests::SafetensorsBuilder()
        .addFloats("w", {kRows, kColumns}, values)
        .write(root / "model.safetensors");
    const Checkpoint checkpoint(root / ".");
    const std::uint64_t step = GENERATE(1U, 2U, 300U);
    const std::uint64_t count = step == 1 ? kColumns : kColumns / step;
    const LogicalTensor tensor(
        checkpoint,
        transposedOf("w", {kRows, kColumns}, {.first = 0, .count = count, .run = 1, .step = step},
                     {.first = 0, .count = kRows}));
    checkWindows(tensor, values, [&](auto r, auto c) { return c * kColumns + r * step; });
}

TEST_CASE("LogicalTensor: vectors inside a tensor", "[core][checkpoint]") {
    const Fused fused;
    const Checkpoint checkpoint(fused.folder);
    const LogicalTensor tensor(
        checkpoint, elementsOf("vectors", {Fused::kE, Fused::kRows},
                               {.first = Fused::kRows + 1, .count = 21, .run = 1, .step = 2}));
    CHECK(tensor.shape() == Shape{21});
    CHECK(tensor.columns() == 1);
    checkWindows(tensor, fused.all, [](auto r, auto /*c*/) { return Fused::kRows + 1 + 2 * r; });
}

TEST_CASE("LogicalTensor: the bytes of parts add up to the tensor", "[core][checkpoint]") {
    const Fused fused;
    const Checkpoint checkpoint(fused.folder);
    std::uint64_t bytes = 0;
    for (std::uint64_t e = 0; e < Fused::kE; ++e) {
        for (const std::uint64_t which : {0U, 1U}) {
            bytes += LogicalTensor(checkpoint,
                                   rowRunsOf("flat", {Fused::kE * Fused::kRows, Fused::kColumns},
                                             {.first = e * Fused::kRows + which,
                                              .count = Fused::kRows / 2,
                                              .run = 1,
                                              .step = 2}))
                         .storedBytes();
        }
    }
    CHECK(bytes == checkpoint.require("flat").bytes.size());
}

TEST_CASE("LogicalTensor: finds values that are not finite, in the part alone",
          "[core][checkpoint]") {
    const tests::TemporaryFolder root;
    tests::writeFile(root / "config.json", "{}");
    std::vector<float> values(6 * 4, 1.0F);
    values[4 * 1 + 2] = std::numeric_limits<float>::quiet_NaN();
    values[4 * 3 + 3] = std::numeric_limits<float>::infinity();
    tests::SafetensorsBuilder().addFloats("w", {6, 4}, values).write(root / "model.safetensors");
    const Checkpoint checkpoint(root / ".");
    const auto count = [&](const TensorRef& ref) {
        return LogicalTensor(checkpoint, ref).countNonFinite();
    };
    CHECK(count("w") == 2);
    CHECK(count(rowsOf("w", {6, 4}, 0, 3)) == 1);
    CHECK(count(rowRunsOf("w", {6, 4}, {.first = 0, .count = 3, .run = 1, .step = 2})) == 0);
    CHECK(count(rowRunsOf("w", {6, 4}, {.first = 1, .count = 3, .run = 1, .step = 2})) == 2);
    CHECK(count(transposedOf("w", {6, 4}, {.first = 2, .count = 2, .run = 2, .step = 2},
                             {.first = 0, .count = 3})) == 1);
}

TEST_CASE("LogicalTensor: refuses what does not fit", "[core][checkpoint]") {
    const Fused fused;
    const Checkpoint checkpoint(fused.folder);
    const Shape shape{Fused::kE, Fused::kRows, Fused::kColumns};
    checkThrows([&] { LogicalTensor(checkpoint, "none"); }, ErrorCode::MissingTensor, {"none"});
    checkThrows(
        [&] {
            LogicalTensor(checkpoint, rowsOf("wide", {4, 42, 37}, 0, 1));
        },
        ErrorCode::BadShape, {"wide", "[5, 42, 37]", "[4, 42, 37]"});
    checkThrows([&] { LogicalTensor(checkpoint, rowsOf("wide", shape, 200, 11)); },
                ErrorCode::BadShape, {"wide (rows 200 to 210, columns 0 to 36)"});
    const LogicalTensor tensor(checkpoint, rowsOf("wide", shape, 0, 2));
    std::vector<float> to(2 * Fused::kColumns);
    checkThrows(
        [&] {
            tensor.decode({1, 2, 0, Fused::kColumns}, to);
        },
        ErrorCode::BadShape, {"wide"});
    checkThrows(
        [&] {
            tensor.decode({0, 1, 0, Fused::kColumns}, to);
        },
        ErrorCode::BadShape, {"wide"});
}
