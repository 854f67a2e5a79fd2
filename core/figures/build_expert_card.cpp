// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
// All that a session tells of one expert, on one page.
#include "core/base/error.h"
#include "core/figures/expert_card.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <unordered_map>
#include <utility>

namespace moescope::figures {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kTopTokens = 8;
constexpr std::size_t kPartners = 5;
constexpr std::uint64_t kContext = 3;  // tokens on either side

double even(const CardInput& input) {
    return static_cast<double>(input.text.topK()) / input.text.experts();
}

std::vector<double> shares(const std::vector<std::uint64_t>& counts, std::uint64_t tokens) {
    std::vector<double> values;
    values.reserve(counts.size());
    for (const std::uint64_t count : counts) {
        values.push_back(static_cast<double>(count) /
                         static_cast<double>(std::max<std::uint64_t>(tokens, 1)));
    }
    return values;
}

std::string ordinal(int choice) {
    constexpr std::array kNames{"first choice", "second choice", "third choice"};
    return static_cast<std::size_t>(choice) < kNames.size()
               ? kNames[static_cast<std::size_t>(choice)]
               : fmt::format("choice {}", choice + 1);
}

/// Where a token id went to the expert.
struct Taken {
    std::uint64_t routed = 0, seen = 0;
    std::uint64_t example = 0;
};

}  // namespace

const session::QuantityInfo* CardInput::find(const char* experiment, const char* quantity,
                                             bool perLayer) const {
    const session::QuantityInfo* info =
        context.source.find({context.request.branch, experiment, quantity});
    const bool isThere = info != nullptr &&
                         (!perLayer || std::find(info->layers.begin(), info->layers.end(), layer) !=
                                           info->layers.end());
    return isThere ? info : nullptr;
}

std::string rankText(const std::vector<double>& values, std::size_t of) {
    if (std::isnan(values[of])) {
        return {};
    }
    const auto before = std::count_if(values.begin(), values.end(),
                                      [&](double value) { return value > values[of]; });
    return fmt::format("rank {} of {}", before + 1, values.size());
}

CardSection loadSection(const CardInput& input) {
    CardSection section{.title = "Load", .note = "share of tokens that choose it", .isShare = true};
    const auto add = [&](const std::string& label, int choice) {
        const auto values = shares(input.counts(choice), input.text.tokens());
        const double evenly =
            choice == numerics::kAnyChoice ? even(input) : 1.0 / input.text.experts();
        section.rows.push_back({.label = label,
                                .value = values[input.expert],
                                .text = fmt::format("even {:.1f} %, {}", 100.0 * evenly,
                                                    rankText(values, input.expert))});
    };
    add("chosen at all", numerics::kAnyChoice);
    for (int choice = 0; choice < std::min(input.text.topK(), 3) && input.text.topK() > 1;
         ++choice) {
        add(ordinal(choice), choice);
    }
    return section;
}

CardSection layerLoadSection(const CardInput& input) {
    CardSection section{.title = "Beside the layer's other experts",
                        .note = "share of tokens that choose each; this one outlined",
                        .kind = CardSection::Kind::Strip,
                        .isShare = true,
                        .reference = even(input),
                        .current = input.expert};
    const auto values = shares(input.counts(), input.text.tokens());
    for (std::size_t e = 0; e < values.size(); ++e) {
        section.rows.push_back(
            {.label = std::to_string(e), .value = values[e], .expert = static_cast<int>(e)});
    }
    return section;
}

/// Of all layers with chosen experts, for the tokens asked for: the same for every expert and
/// layer.
using LayerLoads = std::map<LayerId, std::vector<std::uint64_t>>;

std::shared_ptr<const LayerLoads> loadsOfLayers(const CardInput& input) {
    const BuildContext& context = input.context;
    const std::string key =
        fmt::format("loads/{}/{}", context.request.branch.value, listOf(context.tokens()));
    const auto made = context.memory.remembered(key, [&]() -> std::shared_ptr<const void> {
        auto loads = std::make_shared<LayerLoads>();
        for (const LayerId layer : context.require("ids").layers) {
            context.throwIfStopped();
            (*loads)[layer] =
                layer == input.layer ? input.counts() : countAssignments(context, layer);
        }
        return loads;
    });
    return std::static_pointer_cast<const LayerLoads>(made);
}

CardSection layersSection(const CardInput& input) {
    CardSection section{.title = fmt::format("Experts {} of all layers", input.expert),
                        .note = "other experts of the same index; load in each",
                        .kind = CardSection::Kind::Strip,
                        .isShare = true,
                        .reference = even(input)};
    const auto loads = loadsOfLayers(input);
    for (const auto& [layer, counts] : *loads) {
        if (layer == input.layer) {
            section.current = section.rows.size();
        }
        const double value =
            input.expert < counts.size() ? shares(counts, input.text.tokens())[input.expert] : kNaN;
        section.rows.push_back({.label = std::to_string(layer.value),
                                .value = value,
                                .expert = static_cast<int>(input.expert),
                                .layer = layer});
    }
    return section;
}

CardSection domainSection(const CardInput& input) {
    CardSection section{.title = "By domain",
                        .note = "share of the domain's tokens that choose it",
                        .isShare = true,
                        .reference = even(input)};
    if (input.text.domains().empty()) {
        section.missing =
            "The text names no domains: they come with a column of a table, or with one folder for "
            "each domain.";
        return section;
    }
    const DocumentCounts counts = countAssignments(input.text, numerics::kAnyChoice, true);
    const std::vector<double> shareOf = numerics::groupShares(counts.view(input.text));
    for (std::size_t d = 0; d <= input.text.domains().size(); ++d) {
        section.rows.push_back(
            {.label = d < input.text.domains().size() ? input.text.domains()[d] : "all text",
             .value = shareOf[d * counts.width + input.expert]});
    }
    return section;
}

/// The token ids that go to the expert, by falling count.
std::vector<std::pair<text::TokenId, Taken>> takenTokens(const CardInput& input) {
    const std::vector<text::TokenId>& ids = input.context.head().corpus.ids;
    std::unordered_map<text::TokenId, Taken> taken;
    for (const RoutedText::Piece& piece : input.text.pieces()) {
        const numerics::Choices choices = input.text.of(piece);
        for (std::uint64_t i = 0; i < piece.count; ++i) {
            const auto chosen = choices.of(i);
            if (std::find(chosen.begin(), chosen.end(), input.expert) != chosen.end()) {
                Taken& found = taken[ids[piece.firstToken + i]];
                found.example = found.routed++ == 0 ? piece.firstToken + i : found.example;
            }
        }
    }
    for (const RoutedText::Piece& piece : input.text.pieces()) {
        for (std::uint64_t i = 0; i < piece.count; ++i) {
            const auto found = taken.find(ids[piece.firstToken + i]);
            if (found != taken.end()) {
                ++found->second.seen;
            }
        }
    }
    std::vector<std::pair<text::TokenId, Taken>> order(taken.begin(), taken.end());
    std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
        return a.second.routed != b.second.routed ? a.second.routed > b.second.routed
                                                  : a.first < b.first;
    });
    return order;
}

CardSection tokenSection(const CardInput& input) {
    CardSection section{.title = "Tokens it takes most often",
                        .note = "times chosen for it; of how many; a place"};
    const TokenTable& tokens = *input.context.memory.tokens();
    std::vector<std::pair<text::TokenId, Taken>> order = takenTokens(input);
    order.resize(std::min(order.size(), kTopTokens));
    for (const auto& [id, found] : order) {
        section.rows.push_back({.label = std::string(tokens.text(found.example)),
                                .value = static_cast<double>(found.routed),
                                .text = fmt::format("of {}   {}", found.seen,
                                                    excerptAround(tokens, found.example, kContext)),
                                .token = found.example});
    }
    if (section.rows.empty()) {
        section.missing = "No token of this text chooses it.";
    }
    return section;
}

CardSection partnerSection(const CardInput& input) {
    CardSection section{.title = "Chosen together with",
                        .note = "share of its tokens that choose the other too",
                        .isShare = true};
    const int topK = input.text.topK();
    if (topK < 2) {
        section.missing = "This layer chooses one expert for a token.";
        return section;
    }
    section.reference = static_cast<double>(topK - 1) / (input.text.experts() - 1);
    const std::vector<std::uint64_t> pairs =
        numerics::pairCountsOf(input.text.choices(), static_cast<std::uint16_t>(input.expert));
    const auto own = static_cast<double>(pairs[input.expert]);
    if (own == 0.0) {
        section.missing = "No token of this text chooses it.";
        return section;
    }
    std::vector<std::size_t> order;
    for (std::size_t e = 0; e < input.experts(); ++e) {
        if (e != input.expert) {
            order.push_back(e);
        }
    }
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return pairs[a] > pairs[b]; });
    order.resize(std::min(order.size(), kPartners));
    for (const std::size_t e : order) {
        section.rows.push_back({.label = fmt::format("expert {}", e),
                                .value = static_cast<double>(pairs[e]) / own,
                                .text = fmt::format("{} tokens", pairs[e]),
                                .expert = static_cast<int>(e)});
    }
    return section;
}

Figure buildExpertCard(const BuildContext& context) {
    const LayerId layer = context.layerOf(context.require("ids"));
    const RoutedText text = routedText(context, layer);
    const int expert = context.request.expert.value_or(0);
    if (expert < 0 || expert >= text.experts()) {
        throw Error(ErrorCode::Usage,
                    fmt::format("Expert {} was asked for, but layer {} has experts 0 to {}.",
                                expert, layer.value, text.experts() - 1));
    }
    const CardInput input{context, text, layer, static_cast<std::size_t>(expert)};
    ExpertCardFigure body{layer, expert, text.experts(), {}};
    for (CardSection (*const make)(const CardInput&) :
         {&loadSection, &layerLoadSection, &domainSection, &tokenSection, &partnerSection,
          &similarSection, &normSection, &importanceSection, &removalSection, &layersSection}) {
        context.throwIfStopped();
        body.sections.push_back(make(input));
    }
    Figure figure = context.frame(fmt::format("expert {}", expert), text.tokens());
    figure.caption = "Each section is what the figure of that name shows, for this expert alone." +
                     figure.caption.substr(figure.provenance.definition.size());
    figure.howToRead =
        "Dashed: what an even spread gives; rank 1 = the largest of the layer. A click on an "
        "expert, a layer or a token goes there.";
    context.saySelection(figure, text.tokens(), text.tokens(), "routing");
    figure.body = std::move(body);
    return figure;
}

}  // namespace moescope::figures
