// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/routed_text.h"

#include "core/base/error.h"
#include "core/experiments/catalogue.h"

#include <fmt/format.h>

#include <algorithm>

namespace moescope::figures {
RoutedText::RoutedText(std::shared_ptr<const Routing> routing, const text::TokenizedCorpus& corpus,
                       const TokenSelection& tokens)
    : m_routing(std::move(routing)), m_tokens(tokens.count()) {
    std::vector<std::int32_t> places(corpus.domains.size(), -1);
    std::size_t document = 0;
    std::size_t lastSeen = corpus.documentCount();
    for (const TokenRange& range : tokens.ranges()) {
        for (std::uint64_t at = range.first; at < range.end();) {
            while (document < corpus.documentCount() && corpus.offsets[document + 1] <= at) {
                ++document;
            }
            if (document == corpus.documentCount()) {
                throw Error(ErrorCode::BadSession,
                            "The documents of the session do not cover its tokens; the file is "
                            "damaged.");
            }
            if (document != lastSeen) {
                addDocument(corpus, document, places);
                lastSeen = document;
            }
            const std::uint64_t end = std::min(range.end(), corpus.offsets[document + 1]);
            m_pieces.push_back({m_domainOf.size() - 1, at, end - at});
            at = end;
        }
    }
    if (!tokens.isOneRange()) {
        for (const Piece& piece : m_pieces) {
            const auto ids = of(piece).ids;
            m_gathered.insert(m_gathered.end(), ids.begin(), ids.end());
        }
    }
}

void RoutedText::addDocument(const text::TokenizedCorpus& corpus, std::size_t index,
                             std::vector<std::int32_t>& places) {
    const std::int32_t domain = index < corpus.domainOf.size() ? corpus.domainOf[index] : -1;
    if (domain < 0 || static_cast<std::size_t>(domain) >= places.size()) {
        m_domainOf.push_back(-1);
        return;
    }
    std::int32_t& place = places[static_cast<std::size_t>(domain)];
    if (place < 0) {
        place = static_cast<std::int32_t>(m_domains.size());
        m_domains.push_back(corpus.domains[static_cast<std::size_t>(domain)]);
    }
    m_domainOf.push_back(place);
}

numerics::Choices RoutedText::of(const Piece& piece) const {
    const numerics::Choices all{m_routing->ids, topK(), experts()};
    return all.part(piece.firstToken - m_routing->firstToken(), piece.count);
}

numerics::Choices RoutedText::choices() const {
    if (!m_gathered.empty()) {
        return {m_gathered, topK(), experts()};
    }
    return of({0, m_pieces.front().firstToken, m_tokens});
}

RoutedText routedText(const BuildContext& context, LayerId layer) {
    return {context.routing(layer), context.head().corpus, context.tokens()};
}

std::vector<LayerId> routedLayers(const BuildContext& context) {
    return context.request.layer ? std::vector<LayerId>{*context.request.layer}
                                 : context.layersOf(context.require("ids"));
}

DocumentCounts countAssignments(const RoutedText& text, int choice, bool perToken) {
    DocumentCounts result;
    result.width = static_cast<std::size_t>(text.experts());
    result.counts.resize(text.documents() * result.width);
    result.totals.resize(text.documents());
    for (const RoutedText::Piece& piece : text.pieces()) {
        const std::vector<std::uint64_t> counts = numerics::expertCounts(text.of(piece), choice);
        double sum = 0.0;
        for (std::size_t e = 0; e < counts.size(); ++e) {
            result.counts[piece.document * result.width + e] += static_cast<double>(counts[e]);
            sum += static_cast<double>(counts[e]);
        }
        result.totals[piece.document] += perToken ? static_cast<double>(piece.count) : sum;
    }
    return result;
}

namespace {

/// Ids of the layer's experts, stored in any width.
template <typename T>
void addCounts(std::span<const T> ids, LayerId layer, std::vector<std::uint64_t>& counts) {
    for (const T id : ids) {
        if (static_cast<std::size_t>(id) >= counts.size()) {
            throw Error(ErrorCode::BadSession,
                        fmt::format("chosen_experts of layer {} names expert {}, but the layer has "
                                    "{}; the session is damaged.",
                                    layer.value, id, counts.size()));
        }
        ++counts[static_cast<std::size_t>(id)];
    }
}

}  // namespace

std::vector<std::uint64_t> countAssignments(const BuildContext& context, LayerId layer) {
    return countAssignments(context, layer, context.tokens());
}

std::vector<std::uint64_t> countAssignments(const BuildContext& context, LayerId layer,
                                            const TokenSelection& tokens) {
    std::vector<std::uint64_t> counts(static_cast<std::size_t>(context.experts(layer)));
    const session::QuantityId id{context.request.branch, "chosen_experts", "ids"};
    for (const TokenRange& range : tokens.ranges()) {
        const NdArray ids = context.source.readRows(id, layer, range.first, range.count);
        if (ids.type() == ElementType::U8) {
            addCounts(ids.values<std::uint8_t>(), layer, counts);
        } else if (ids.type() == ElementType::U16) {
            addCounts(ids.values<std::uint16_t>(), layer, counts);
        } else {
            const std::vector<double> wide = ids.toDoubles();
            const std::vector<std::uint64_t> whole(wide.begin(), wide.end());
            addCounts(std::span<const std::uint64_t>(whole), layer, counts);
        }
    }
    return counts;
}

Figure derivedFrame(const BuildContext& context, std::string_view experiment,
                    const std::string& what, std::uint64_t tokens) {
    Figure figure = context.frame(what, tokens);
    if (const experiments::ExperimentInfo* info = experiments::findExperiment(experiment)) {
        const std::string stored = figure.provenance.definition;
        if (figure.caption.starts_with(stored)) {
            figure.caption.replace(0, stored.size(), info->definition);
        }
        figure.howToRead = info->howToRead;
        figure.provenance.experiment = info->id;
        figure.provenance.definition = info->definition;
        figure.provenance.source = info->source;
    }
    if (context.isSelection()) {
        context.saySelection(figure, tokens, tokens, "choices");
    }
    return figure;
}

std::vector<std::string> expertLabels(int experts) {
    std::vector<std::string> labels;
    labels.reserve(static_cast<std::size_t>(experts));
    for (int expert = 0; expert < experts; ++expert) {
        labels.push_back(std::to_string(expert));
    }
    return labels;
}

}  // namespace moescope::figures
