// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/kept_tokens.h"
#include "core/figures/source.h"

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <stop_token>
#include <vector>

namespace moescope::figures {

/// Some consecutive rows of norms_scores.
struct TokenValues {
    std::uint64_t firstRow = 0;
    NdArray norms, scores;  ///< [rows, experts], float32
};

/// The experts' ranks in some consecutive rows, as numerics::ranksAscending gives them, less 1.
struct TokenRanks {
    std::uint64_t firstRow = 0;
    std::size_t experts = 0;
    std::vector<std::uint16_t> scores, norms;  ///< [rows * experts]
};

/// Norms and scores of single tokens as statistics want them, read slice by slice and kept while
/// there is room, so that the next selection reads nothing again. Thread-safe.
class TokenNumbers {
public:
    explicit TokenNumbers(std::shared_ptr<const FigureSource> source)
        : m_source(std::move(source)) {}

    /// False when the session has no norms and scores of single tokens at the layer.
    [[nodiscard]] bool has(LayerId layer, BranchId branch) const;
    /// For which tokens there are rows. Throws Error(BadSession).
    [[nodiscard]] KeptTokens kept(LayerId layer, BranchId branch) const;
    /// counts [score rank, norm rank] += 1 over the rows and experts, as
    /// numerics::addRankCounts does. Throws Error(Cancelled).
    void addRankCounts(LayerId layer, BranchId branch, const std::vector<TokenRange>& rows,
                       std::vector<std::uint64_t>& counts, const std::stop_token& stop) const;
    /// Sums over the rows, [experts] each.
    struct Sums {
        std::vector<double> norms, scores;
    };
    [[nodiscard]] Sums sums(LayerId layer, BranchId branch, const std::vector<TokenRange>& rows,
                            const std::stop_token& stop) const;
    /// Reads ahead what the two above need at a layer; returns early when asked to stop.
    void prepare(LayerId layer, BranchId branch, const std::stop_token& stop) const;

private:
    struct Key {
        BranchId branch;
        LayerId layer;
        std::uint64_t index = 0;
        bool operator==(const Key&) const = default;
    };
    /// Either of the two is set.
    struct Slice {
        Key key;
        std::shared_ptr<const TokenValues> values;
        std::shared_ptr<const TokenRanks> ranks;
    };
    [[nodiscard]] const session::QuantityInfo& info(const char* quantity, BranchId branch) const;
    [[nodiscard]] std::uint64_t rowsOfSlice(LayerId layer) const;
    [[nodiscard]] std::shared_ptr<const TokenValues> values(const Key& key,
                                                            std::uint64_t rowsInAll) const;
    [[nodiscard]] std::shared_ptr<const TokenRanks> ranks(const Key& key,
                                                          std::uint64_t rowsInAll) const;
    template <typename Kind>
    [[nodiscard]] std::shared_ptr<const Kind> find(
        const Key& key, std::shared_ptr<const Kind> Slice::*member) const;
    void keep(Slice slice) const;
    static std::size_t bytesOf(const Slice& slice);

    std::shared_ptr<const FigureSource> m_source;
    mutable std::mutex m_mutex;         // guards the list
    mutable std::list<Slice> m_slices;  // newest first
};

}  // namespace moescope::figures
