// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/build_context.h"
#include "core/numerics/resampling.h"
#include "core/numerics/routing.h"

/// For the builders of figures that count what routers chose. Private to them.
namespace moescope::figures {

/// What the router of a layer chose for the tokens asked for, cut into pieces of documents.
class RoutedText {
public:
    /// Consecutive tokens of one document.
    struct Piece {
        std::size_t document = 0;  ///< among those that have a token here
        std::uint64_t firstToken = 0, count = 0;
    };

    RoutedText(std::shared_ptr<const Routing> routing, const text::TokenizedCorpus& corpus,
               const TokenSelection& tokens);

    [[nodiscard]] int experts() const { return m_routing->experts; }
    [[nodiscard]] int topK() const { return m_routing->topK; }
    [[nodiscard]] std::uint64_t tokens() const { return m_tokens; }
    [[nodiscard]] const std::vector<Piece>& pieces() const { return m_pieces; }
    [[nodiscard]] std::size_t documents() const { return m_domainOf.size(); }
    /// Domains with a token.
    [[nodiscard]] const std::vector<std::string>& domains() const { return m_domains; }
    /// Of each document, index into domains() or -1.
    [[nodiscard]] const std::vector<std::int32_t>& domainOf() const { return m_domainOf; }

    /// Valid as long as this is.
    [[nodiscard]] numerics::Choices of(const Piece& piece) const;
    /// All pieces one after another.
    [[nodiscard]] numerics::Choices choices() const;

private:
    void addDocument(const text::TokenizedCorpus& corpus, std::size_t index,
                     std::vector<std::int32_t>& places);

    std::shared_ptr<const Routing> m_routing;
    std::uint64_t m_tokens = 0;
    std::vector<Piece> m_pieces;
    std::vector<std::int32_t> m_domainOf;
    std::vector<std::string> m_domains;
    std::vector<std::uint16_t> m_gathered;  // ids, where the tokens are not consecutive
};

/// Throws Error(Usage) for a layer or tokens that the session does not have.
[[nodiscard]] RoutedText routedText(const BuildContext& context, LayerId layer);
/// The layers with chosen experts, or those that were asked for.
[[nodiscard]] std::vector<LayerId> routedLayers(const BuildContext& context);

/// Counts per document, and what a share of them divides by.
struct DocumentCounts {
    std::size_t width = 0;
    std::vector<double> counts, totals;
    [[nodiscard]] numerics::GroupedCounts view(const RoutedText& text) const {
        return {width, counts, totals, text.domainOf(), text.domains().size()};
    }
};
/// Assignments to each expert; a share divides by all of them, or by tokens.
[[nodiscard]] DocumentCounts countAssignments(const RoutedText& text, int choice, bool perToken);

/// [experts] assignments of some tokens, those asked for unless told otherwise, from the file's ids
/// alone: for a walk over all layers, which would push the routing of other figures out of memory.
[[nodiscard]] std::vector<std::uint64_t> countAssignments(const BuildContext& context,
                                                          LayerId layer,
                                                          const TokenSelection& tokens);
[[nodiscard]] std::vector<std::uint64_t> countAssignments(const BuildContext& context,
                                                          LayerId layer);

/// frame() with the definition of an experiment that is derived from chosen experts.
[[nodiscard]] Figure derivedFrame(const BuildContext& context, std::string_view experiment,
                                  const std::string& what, std::uint64_t tokens);

/// "0" ... "n-1".
[[nodiscard]] std::vector<std::string> expertLabels(int experts);

}  // namespace moescope::figures
