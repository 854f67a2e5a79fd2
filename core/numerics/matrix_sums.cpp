// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/numerics/matrix_sums.h"

#include "core/jobs/parallel_for.h"
#include "core/numerics/bfloat16_gram.h"
#include "core/numerics/matrix_tile.h"
#include "core/numerics/require.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <mutex>
#include <type_traits>

namespace moescope::numerics {
namespace {

constexpr std::size_t kMostTileElements = 2048;  ///< of each matrix
/// What a tile costs for each pair of matrices, whatever its size, must not outweigh its products:
/// many matrices take more than the second-level cache, where panels of their rows lie
/// (gram_block.h).
constexpr std::size_t kFewestTileElements = 1024;
constexpr std::size_t kTileElements = std::size_t{1} << 16;  ///< stay in the second-level cache
constexpr std::size_t kTaskElements = std::size_t{1} << 21;  ///< of all matrices, worth a task
constexpr std::size_t kRoundBytes = std::size_t{8} << 20;    ///< of tasks' results held at once
constexpr std::size_t kMostInRound = 64;
constexpr std::size_t kSliceElements = std::size_t{1} << 16;  ///< of a result, worth a thread
/// Where what is taken off leaves less than this of a square, the products of what is left cannot
/// be had from those of the whole without losing digits.
constexpr double kSmallestShare = 0.5;
constexpr std::size_t kCacheLine = 64;

/// How the matrices are cut: tiles of `piece` columns of `tileRows` rows, tasks of such tiles one
/// below the other.
struct Cut {
    std::size_t piece, pieces, tileRows, taskRows, tasksPerPiece;
    [[nodiscard]] std::size_t tasks() const { return pieces * tasksPerPiece; }
};

std::size_t paddedRows(std::size_t count) {
    return roundUp(count, kGramRowGroup);
}

std::size_t tileElements(std::size_t count) {
    const std::size_t fitting = kTileElements / paddedRows(count) / kTileGroup * kTileGroup;
    return std::clamp(fitting, kFewestTileElements, kMostTileElements);
}

/// `columns` and `rows` are not 0.
Cut cutOf(std::size_t count, std::size_t rows, std::size_t columns, SumAlong along) {
    const std::size_t most = tileElements(count);
    // Sums along rows gain from several rows in a tile.
    const std::size_t wanted = along == SumAlong::Rows ? std::max(most / 2, kTileGroup) : most;
    Cut cut{};
    const std::size_t pieces = (columns + wanted - 1) / wanted;
    cut.piece = std::min(roundUp((columns + pieces - 1) / pieces, kTileGroup), columns);
    cut.pieces = (columns + cut.piece - 1) / cut.piece;
    cut.tileRows = std::max<std::size_t>(most / cut.piece, 1);
    const std::size_t fitting = std::max<std::size_t>(kTaskElements / (count * cut.piece), 1);
    cut.taskRows = std::min(roundUp(fitting, cut.tileRows), rows);
    cut.tasksPerPiece = (rows + cut.taskRows - 1) / cut.taskRows;
    return cut;
}

/// The same elements of all matrices.
struct Window {
    std::size_t firstRow, rows, firstColumn, columns;
    [[nodiscard]] std::size_t elements() const { return rows * columns; }
};

/// What the tiles of a task share.
struct Task {
    const Matrices& x;
    const MatrixSumsOptions& options;
    Window window;
    std::size_t tileRows;
    MatrixSums&
        sums;  ///< its own; along rows [count, window.columns], columns [count, window.rows]
};

/// Rows do not begin a whole number of pages apart, where they would crowd out each other.
std::size_t tileStride(std::size_t elements) {
    return roundUp(elements, kTileGroup) + kTileGroup / 2;
}

/// One thread's buffers.
struct Buffers {
    Buffers(std::size_t count, std::size_t most, bool isNarrow)
        : stride(tileStride(most)),
          narrow(isNarrow ? paddedRows(count) * stride : 0),
          wide(isNarrow ? 0 : paddedRows(count) * stride),
          centred(paddedRows(count) * stride),
          gram(count * count) {}
    std::size_t stride;
    std::vector<std::uint16_t> narrow;
    std::vector<float> wide, centred;
    std::vector<double> gram;
};

/// Buffers for as many threads as there turn out to be: new memory costs a page fault per 4 KiB.
class BufferPool {
public:
    BufferPool(std::size_t count, std::size_t most, bool isNarrow)
        : m_count(count), m_most(most), m_isNarrow(isNarrow) {}
    [[nodiscard]] std::unique_ptr<Buffers> take() {
        {
            const std::lock_guard lock(m_mutex);
            if (!m_free.empty()) {
                std::unique_ptr<Buffers> one = std::move(m_free.back());
                m_free.pop_back();
                return one;
            }
        }
        return std::make_unique<Buffers>(m_count, m_most, m_isNarrow);
    }
    void give(std::unique_ptr<Buffers> buffers) {
        const std::lock_guard lock(m_mutex);
        m_free.push_back(std::move(buffers));
    }

private:
    std::size_t m_count, m_most;
    bool m_isNarrow;
    std::mutex m_mutex;
    std::vector<std::unique_ptr<Buffers>> m_free;  // guarded by m_mutex
};

/// Asks for the next tile's values while this one's are multiplied.
template <typename In>
struct Ahead {
    std::span<const In* const> matrices;
    std::size_t columns;  ///< of a whole row
    Window window;        ///< rows 0: nothing to ask for
    [[gnu::always_inline]] void ask(std::size_t firstMatrix) const {
        const std::size_t end = std::min(firstMatrix + kGramRowGroup, matrices.size());
        for (std::size_t m = firstMatrix; m < end; ++m) {
            for (std::size_t r = 0; r < window.rows; ++r) {
                const In* const from = matrices[m] + (window.firstRow + r) * columns;
                for (std::size_t k = 0; k < window.columns; k += kCacheLine / sizeof(In)) {
                    __builtin_prefetch(from + window.firstColumn + k, 0, 2);
                }
            }
        }
    }
    static void call(const void* with, std::size_t row) {
        static_cast<const Ahead*>(with)->ask(row);
    }
};

template <typename In>
std::span<const In* const> listOf(const Matrices& x) {
    if constexpr (std::is_same_v<In, float>) {
        return x.floats;
    } else {
        return x.bfloat16;
    }
}

/// (x_i - m)(x_j - m) = g_ij - g_im - g_mj + g_mm, for the mean m of the first n rows or for one
/// row. False where too little is left of one of them; NaN, too, leaves through that way.
bool relativeFrom(const std::vector<double>& gram, std::size_t count, std::size_t n,
                  std::optional<std::size_t> reference, std::vector<double>& sums) {
    std::vector<double> withBase(n);
    double base = 0.0;
    const auto at = [&](std::size_t i, std::size_t j) {
        return gram[std::min(i, j) * count + std::max(i, j)];
    };
    if (reference) {
        for (std::size_t i = 0; i < n; ++i) {
            withBase[i] = at(i, *reference);
        }
        base = at(*reference, *reference);
    } else {
        for (std::size_t i = 0; i < n; ++i) {  // row by row of the upper triangle
            const double* const row = gram.data() + i * count;
            double sum = row[i];
            for (std::size_t j = i + 1; j < n; ++j) {
                sum += row[j];
                withBase[j] += row[j];
            }
            withBase[i] += sum;
        }
        for (double& mean : withBase) {
            mean /= static_cast<double>(n);
            base += mean / static_cast<double>(n);
        }
    }
    for (std::size_t i = 0; i < n; ++i) {
        const double own = at(i, i);
        if (reference != i &&
            !(own - 2.0 * withBase[i] + base > kSmallestShare * std::max(own, base))) {
            return false;
        }
    }
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = i; j < n; ++j) {
            if (reference != i && reference != j) {
                sums[i * n + j] += at(i, j) - withBase[i] - withBase[j] + base;
            }
        }
    }
    return true;
}

void addTo(std::vector<double>& sums, const std::vector<double>& more) {
    std::transform(sums.begin(), sums.end(), more.begin(), sums.begin(), std::plus<>());
}

template <typename Packed>
std::vector<Packed>& packedOf(Buffers& buffers) {
    if constexpr (std::is_same_v<Packed, float>) {
        return buffers.wide;
    } else {
        return buffers.narrow;
    }
}

/// The steps of a task, in vectors of kBytes.
template <std::size_t kBytes, std::size_t kRows, std::size_t kColumns, typename In, typename Packed>
struct TileLoop {
    using Gram = GramBlock<float, kBytes, kRows, kColumns>;

    [[gnu::always_inline]] static void products(const TileRows<Packed>& x, double* gram,
                                                const Ahead<In>& ahead) {
        if constexpr (std::is_same_v<Packed, float>) {
            Gram::add(x.data, x.stride, x.width, x.rows, gram,
                      [&](std::size_t row) { ahead.ask(row); });
        } else {
            addBfloat16Gram(x.data, x.stride, x.width, x.rows, gram, {Ahead<In>::call, &ahead});
        }
    }

    [[gnu::always_inline]] static TileRows<Packed> packAll(const Task& task, const Window& tile,
                                                           Buffers& buffers) {
        const std::span<const In* const> matrices = listOf<In>(task.x);
        const TileRows<Packed> x{packedOf<Packed>(buffers).data(), buffers.stride,
                                 roundUp(tile.elements(), kTileGroup), matrices.size()};
        for (std::size_t m = 0; m < matrices.size(); ++m) {
            Packed* const to = x.row(m);
            bool found = false;
            for (std::size_t r = 0; r < tile.rows; ++r) {
                found |= pack(matrices[m] + (tile.firstRow + r) * task.x.columns + tile.firstColumn,
                              tile.columns, to + r * tile.columns);
            }
            std::fill(to + tile.elements(), to + x.width, Packed{});
            if (found) {
                task.sums.nonFinite[m] = 1;
            }
        }
        return x;
    }

    [[gnu::always_inline]] static void addAlong(const Task& task, const Window& tile,
                                                const TileRows<Packed>& x) {
        for (std::size_t m = 0; m < x.rows; ++m) {
            if (task.options.along == SumAlong::Rows) {
                addTileRows(x.row(m), tile.rows, tile.columns,
                            task.sums.along.data() + m * task.window.columns);
                continue;
            }
            double* const sums = task.sums.along.data() + m * task.window.rows +
                                 (tile.firstRow - task.window.firstRow);
            for (std::size_t r = 0; r < tile.rows; ++r) {
                sums[r] += rowSum(x.row(m) + r * tile.columns, tile.columns);
            }
        }
    }

    [[gnu::always_inline]] static void tile(const Task& task, const Window& tile,
                                            const Ahead<In>& ahead, Buffers& buffers) {
        const MatrixSumsOptions& options = task.options;
        const TileRows<Packed> x = packAll(task, tile, buffers);
        const TileRows<float> y{buffers.centred.data(), x.stride, x.width, x.rows};
        const auto nothing = [](std::size_t) {};
        if (options.products || options.compared > 0) {
            std::fill(buffers.gram.begin(), buffers.gram.end(), 0.0);
            products(x, buffers.gram.data(), ahead);
            if (options.products) {
                addTo(task.sums.products, buffers.gram);
            }
        }
        if (options.compared > 0 && !relativeFrom(buffers.gram, x.rows, options.compared,
                                                  options.reference, task.sums.relative)) {
            const TileRows<float> some{y.data, y.stride, y.width, options.compared};
            centreRows(x, options.reference.value_or(0),
                       options.reference ? TileCentring::Reference : TileCentring::Mean, some);
            Gram::add(some.data, some.stride, some.width, some.rows, task.sums.relative.data(),
                      nothing);
        }
        if (options.points > 0) {
            const TileRows<float> some{y.data, y.stride, y.width, options.points};
            centreRows(x, 0, options.standardised ? TileCentring::Standardised : TileCentring::Mean,
                       some);
            Gram::add(some.data, some.stride, some.width, some.rows, task.sums.columnwise.data(),
                      nothing);
        }
        if (options.along != SumAlong::Nothing) {
            addAlong(task, tile, x);
        }
    }

    [[gnu::always_inline]] static void run(const Task& task, Buffers& buffers) {
        const Window& all = task.window;
        const std::size_t end = all.firstRow + all.rows;
        for (std::size_t row = all.firstRow; row < end; row += task.tileRows) {
            const auto below = [&](std::size_t first) {
                return Window{first, first < end ? std::min(task.tileRows, end - first) : 0,
                              all.firstColumn, all.columns};
            };
            const Ahead<In> ahead{listOf<In>(task.x), task.x.columns, below(row + task.tileRows)};
            tile(task, below(row), ahead, buffers);
        }
    }
};

using RunTask = void (*)(const Task&, Buffers&);

template <typename In>
void runPortable(const Task& task, Buffers& buffers) {
    TileLoop<16, 2, 2, In, float>::run(task, buffers);
}
template <typename In>
MOESCOPE_TARGET_AVX2 void runAvx2(const Task& task, Buffers& buffers) {
    TileLoop<32, 4, 2, In, float>::run(task, buffers);
}
template <typename In>
MOESCOPE_TARGET_AVX512 void runAvx512(const Task& task, Buffers& buffers) {
    TileLoop<64, 4, 4, In, float>::run(task, buffers);
}
MOESCOPE_TARGET_AVX512 void runDotProducts(const Task& task, Buffers& buffers) {
    TileLoop<64, 4, 4, std::uint16_t, std::uint16_t>::run(task, buffers);
}

RunTask taskOf(const Matrices& x, bool dotProducts) {
    if (dotProducts) {
        return runDotProducts;
    }
    return x.bfloat16.empty()
               ? bestForm<RunTask>(runPortable<float>, runAvx2<float>, runAvx512<float>)
               : bestForm<RunTask>(runPortable<std::uint16_t>, runAvx2<std::uint16_t>,
                                   runAvx512<std::uint16_t>);
}

/// Gives every list that is asked for its size.
void prepare(MatrixSums& sums, std::size_t count, std::size_t along,
             const MatrixSumsOptions& options) {
    sums.products.resize(options.products ? count * count : 0);
    sums.relative.resize(options.compared * options.compared);
    sums.columnwise.resize(options.points * options.points);
    sums.along.resize(options.along == SumAlong::Nothing ? 0 : count * along);
    sums.nonFinite.resize(count);
}

void clear(MatrixSums& sums) {
    for (auto* list : {&sums.products, &sums.relative, &sums.columnwise, &sums.along}) {
        std::fill(list->begin(), list->end(), 0.0);
    }
    std::fill(sums.nonFinite.begin(), sums.nonFinite.end(), 0);
}

using SquareOf = std::vector<double> MatrixSums::*;

/// Adds a square of each result in turn, slice by slice.
void addSquares(std::span<const MatrixSums> results, SquareOf square, unsigned threads,
                std::vector<double>& to) {
    const std::size_t slices = (to.size() + kSliceElements - 1) / kSliceElements;
    jobs::parallelFor(slices, threads, jobs::CancelToken(), [&](std::size_t slice) {
        const std::size_t first = slice * kSliceElements;
        const std::size_t end = std::min(first + kSliceElements, to.size());
        for (const MatrixSums& result : results) {
            const std::vector<double>& from = result.*square;
            for (std::size_t k = first; k < end; ++k) {
                to[k] += from[k];
            }
        }
    });
}

/// Adds the sums along an axis of a window to those of all.
void addAlong(const Window& window, SumAlong along, std::size_t length,
              const std::vector<double>& from, std::vector<double>& to) {
    const bool isRows = along == SumAlong::Rows;
    const std::size_t width = isRows ? window.columns : window.rows;
    const std::size_t first = isRows ? window.firstColumn : window.firstRow;
    for (std::size_t m = 0; m * width < from.size(); ++m) {
        for (std::size_t k = 0; k < width; ++k) {
            to[m * length + first + k] += from[m * width + k];
        }
    }
}

void mirror(std::vector<double>& square) {
    std::size_t n = 0;
    while (n * n < square.size()) {
        ++n;
    }
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            square[i * n + j] = square[j * n + i];
        }
    }
}

std::size_t resultBytes(std::size_t count, std::size_t along, const MatrixSumsOptions& options) {
    const std::size_t squares = (options.products ? count * count : 0) +
                                options.compared * options.compared +
                                options.points * options.points;
    return sizeof(double) * (squares + (options.along == SumAlong::Nothing ? 0 : count * along)) +
           count;
}

/// The most that a task's result takes.
std::size_t taskBytes(std::size_t count, const Cut& cut, const MatrixSumsOptions& options) {
    return resultBytes(count, options.along == SumAlong::Rows ? cut.piece : cut.taskRows, options);
}

std::size_t tasksAtOnce(std::size_t count, const Cut& cut, const MatrixSumsOptions& options) {
    const std::size_t fitting = kRoundBytes / taskBytes(count, cut, options);
    const std::size_t fewest = std::max<std::size_t>(options.threads, 1);  // one for each
    return std::min(cut.tasks(), std::clamp(fitting, fewest, std::max(fewest, kMostInRound)));
}

Window windowOf(const Cut& cut, const Matrices& x, std::size_t task) {
    const std::size_t firstColumn = task % cut.pieces * cut.piece;
    const std::size_t firstRow = task / cut.pieces * cut.taskRows;
    return {firstRow, std::min(cut.taskRows, x.rows - firstRow), firstColumn,
            std::min(cut.piece, x.columns - firstColumn)};
}

}  // namespace

void addMatrixSums(const Matrices& x, const MatrixSumsOptions& options, MatrixSums& sums) {
    const std::size_t count = x.count();
    const bool isRows = options.along == SumAlong::Rows;
    const std::size_t length = isRows ? x.columns : x.rows;
    require(x.floats.empty() || x.bfloat16.empty(), "addMatrixSums: two kinds of values");
    require(options.compared <= count && options.points <= count &&
                options.reference.value_or(0) < std::max<std::size_t>(count, 1),
            "addMatrixSums: more matrices than there are");
    prepare(sums, count, length, options);
    if (count == 0 || x.rows == 0 || x.columns == 0) {
        return;
    }
    const bool dotProducts = !x.bfloat16.empty() && hasAvx512Bf16();
    const RunTask runTask = taskOf(x, dotProducts);
    const Cut cut = cutOf(count, x.rows, x.columns, options.along);
    const std::size_t atOnce = tasksAtOnce(count, cut, options);
    std::vector<MatrixSums> round(atOnce);
    BufferPool pool(count, cut.piece * cut.tileRows, dotProducts);
    for (std::size_t begin = 0; begin < cut.tasks(); begin += atOnce) {
        const std::size_t now = std::min(atOnce, cut.tasks() - begin);
        jobs::parallelFor(now, options.threads, jobs::CancelToken(), [&](std::size_t i) {
            const Window window = windowOf(cut, x, begin + i);
            prepare(round[i], count, isRows ? window.columns : window.rows, options);
            clear(round[i]);
            std::unique_ptr<Buffers> buffers = pool.take();
            runTask({x, options, window, cut.tileRows, round[i]}, *buffers);
            pool.give(std::move(buffers));
        });
        const std::span<const MatrixSums> results(round.data(), now);
        for (const SquareOf square :
             {&MatrixSums::products, &MatrixSums::relative, &MatrixSums::columnwise}) {
            addSquares(results, square, options.threads, sums.*square);
        }
        for (std::size_t i = 0; i < now; ++i) {
            addAlong(windowOf(cut, x, begin + i), options.along, length, round[i].along,
                     sums.along);
            for (std::size_t m = 0; m < count; ++m) {
                sums.nonFinite[m] |= round[i].nonFinite[m];
            }
        }
    }
    mirror(sums.products);
    mirror(sums.relative);
    mirror(sums.columnwise);
}

std::uint64_t matrixSumsBytes(std::size_t count, std::size_t rows, std::size_t columns,
                              const MatrixSumsOptions& options) {
    if (count == 0 || rows == 0 || columns == 0) {
        return 0;
    }
    const Cut cut = cutOf(count, rows, columns, options.along);
    const std::size_t atOnce = tasksAtOnce(count, cut, options);
    const std::size_t stride = tileStride(cut.piece * cut.tileRows);
    const std::uint64_t buffers =
        2 * paddedRows(count) * stride * sizeof(float) + count * count * sizeof(double);
    return std::min<std::uint64_t>(options.threads, atOnce) * buffers +
           atOnce * taskBytes(count, cut, options) +
           resultBytes(count, options.along == SumAlong::Rows ? columns : rows, options);
}

}  // namespace moescope::numerics
