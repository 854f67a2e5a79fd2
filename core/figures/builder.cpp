// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/builder.h"

#include "core/base/error.h"
#include "core/figures/build_context.h"
#include "core/figures/stopped.h"
#include "core/figures/token_losses.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <list>
#include <map>
#include <mutex>

namespace moescope::figures {
namespace {

constexpr std::size_t kMostRoutingBytes = std::size_t{64} << 20U;  // of all layers kept
constexpr std::size_t kMostRemembered = 8;
constexpr std::uint64_t kRoutingBlock = 65536;  // tokens read between looks at the stop token

/// The quantity that says for which layers a figure can be drawn.
constexpr std::array<std::pair<std::string_view, std::string_view>, 18> kLeads{{
    {"weight_similarity", "gate"},
    {"mean_neuron_similarity", "gate"},
    {"matched_similarity", "gate"},  // any of the roles that were asked for
    {"matched_similarity", "up"},
    {"matched_similarity", "down"},
    {"router_similarity", "router"},
    {"expert_projection", "gate"},
    {"neuron_projection", "gate"},
    {"parameters", "total"},
    {"output_similarity", "mean_angular"},
    {"norms_scores", "norm"},
    {"intermediate_states", "states"},
    {"rank_counts", "count"},
    {"expert_removal", "intact"},
    {"fewer_experts", "intact"},
    {"pruning", "intact"},
    {"router_margin", "margin"},
    {"chosen_experts", "ids"},
}};

std::string leadQuantity(std::string_view experiment) {
    const auto* found = std::find_if(kLeads.begin(), kLeads.end(),
                                     [&](const auto& entry) { return entry.first == experiment; });
    return std::string(found == kLeads.end() ? std::string_view() : found->second);
}

const session::QuantityInfo* findLead(const FigureSource& source, const FigureInfo& info,
                                      BranchId branch) {
    const auto has = [&](std::string_view experiment) {
        return source.find({branch, std::string(experiment), leadQuantity(experiment)}) != nullptr;
    };
    if (!info.alongside.empty() &&
        std::none_of(info.alongside.begin(), info.alongside.end(), has)) {
        return nullptr;
    }
    if (info.removes) {
        const std::string lead = leadQuantity(info.experiment);
        return keptRemovals(source, branch).empty()
                   ? nullptr
                   : source.find({branch, std::string(info.experiment), lead});
    }
    if (!info.quantity.empty()) {
        return source.find({branch, std::string(info.experiment), std::string(info.quantity)});
    }
    for (const std::string_view experiment : experimentsOf(info)) {
        for (const auto& [of, quantity] : kLeads) {
            const session::QuantityInfo* lead =
                of == experiment
                    ? source.find({branch, std::string(experiment), std::string(quantity)})
                    : nullptr;
            if (lead != nullptr) {
                return lead;
            }
        }
    }
    return nullptr;
}

/// The layers that a figure can be drawn for.
std::vector<LayerId> figuredLayers(const FigureSource& source, const FigureInfo& info,
                                   BranchId branch) {
    const session::QuantityInfo* lead = findLead(source, info, branch);
    if (lead == nullptr || !info.removes) {
        return lead == nullptr ? std::vector<LayerId>{} : lead->layers;
    }
    const session::QuantityInfo* inLayer = source.find(
        {branch, std::string(info.experiment), fmt::format("{}_token_loss", kInLayerTable)});
    const std::vector<std::string> removed = inLayer == nullptr || inLayer->axes.empty()
                                                 ? std::vector<std::string>()
                                                 : inLayer->axes.front().labels;
    std::vector<LayerId> routed;  // losses are of the whole model
    const auto& layers = source.head().model.layers;
    for (std::size_t layer = 0; layer < layers.size(); ++layer) {
        const bool isKnown =
            inLayer == nullptr ||
            std::find(removed.begin(), removed.end(), std::to_string(layer)) != removed.end();
        if (layers[layer].isRouted() && isKnown) {
            routed.emplace_back(static_cast<int>(layer));
        }
    }
    return routed;
}

/// Figures that are not maps of similarity.
constexpr std::array<std::pair<std::string_view, Figure (*)(const BuildContext&)>, 47> kBuilders{{
    {"router-similarity", &buildRouterSimilarity},
    {"router-regression", &buildRouterRegression},
    {"router-table", &buildRouterTable},
    {"expert-projection", &buildExpertProjection},
    {"neuron-projection", &buildNeuronProjection},
    {"similarity-trend", &buildSimilarityTrend},
    {"intermediate-states", &buildIntermediateStates},
    {"norms-scores", &buildNormsScores},
    {"rank-counts", &buildRankCounts},
    {"chosen-experts", &buildChosenExperts},
    {"coloured-text", &buildColouredText},
    {"routing-comparison", &buildRoutingComparison},
    {"routing-agreement", &buildRoutingAgreement},
    {"router-saturation", &buildRouterSaturation},
    {"expert-card", &buildExpertCard},
    {"parameters", &buildParameters},
    {"weight-output-relation", &buildWeightOutput},
    {"reproduction", &buildReproduction},
    {"domain-share", &buildDomains},
    {"domain-share-bars", &buildDomainBars},
    {"domain-specialisation-bars", &buildDomainBars},
    {"domain-specialisation", &buildDomains},
    {"repetition", &buildRepetition},
    {"repetition-table", &buildRepetitionTable},
    {"load-balance", &buildLoadMap},
    {"load-table", &buildLoadTable},
    {"load-bars", &buildLoadBars},
    {"load-curve", &buildLoadCurve},
    {"expert-removal", &buildRemoval},
    {"expert-removal-bars", &buildRemovalBars},
    {"expert-removal-table", &buildRemovalTable},
    {"expert-removal-text", &buildRemovalText},
    {"expert-removal-tokens", &buildRemovalTokens},
    {"router-margin", &buildMargins},
    {"router-margin-table", &buildMarginTable},
    {"near-flips", &buildNearFlips},
    {"fewer-experts", &buildFewerExperts},
    {"fewer-experts-table", &buildFewerExpertsTable},
    {"pruning", &buildPruning},
    {"pruning-table", &buildPruningTable},
    {"importance", &buildImportance},
    {"importance-map", &buildImportanceMap},
    {"importance-correlation", &buildImportanceCorrelation},
    {"coactivation", &buildCoactivation},
    {"coactivation-table", &buildCoactivationTable},
    {"vocabulary-specialisation", &buildVocabulary},
    {"paths", &buildTransitions},
}};

/// As 16 bits whatever they are stored in; what has no place there becomes the largest.
std::vector<std::uint16_t> expertIds(const NdArray& ids) {
    constexpr auto kMost = std::numeric_limits<std::uint16_t>::max();
    std::vector<std::uint16_t> result(ids.size(), kMost);
    if (ids.type() == ElementType::U8) {
        const auto values = ids.values<std::uint8_t>();
        std::copy(values.begin(), values.end(), result.begin());
    } else if (ids.type() == ElementType::U16) {
        const auto values = ids.values<std::uint16_t>();
        std::copy(values.begin(), values.end(), result.begin());
    } else {
        for (std::size_t i = 0; i < result.size(); ++i) {
            const double id = ids.at(i);
            result[i] = id >= 0.0 && id < kMost ? static_cast<std::uint16_t>(id) : kMost;
        }
    }
    return result;
}

std::string listOf(const std::vector<LayerId>& layers) {
    std::string text;
    for (std::size_t i = 0; i < layers.size();) {
        std::size_t last = i;
        while (last + 1 < layers.size() && layers[last + 1].value == layers[last].value + 1) {
            ++last;
        }
        text += text.empty() ? "" : ", ";
        text += last == i ? std::to_string(layers[i].value)
                          : fmt::format("{} to {}", layers[i].value, layers[last].value);
        i = last + 1;
    }
    return text.empty() ? "none" : text;
}

}  // namespace

struct FigureBuilder::Impl final : BuildMemory {
    explicit Impl(std::shared_ptr<const FigureSource> from)
        : source(std::move(from)), tokenNumbers(source) {}

    std::shared_ptr<const TokenTable> tokens() const override;
    const session::Head& head() const override { return source->head(); }
    std::vector<LayerId> layersOf(std::string_view experiment, BranchId branch) const override;
    const TokenNumbers& numbers() const override { return tokenNumbers; }
    std::shared_ptr<const Routing> routing(LayerId layer, BranchId branch,
                                           const std::stop_token& stop) const override;
    Limits cachedLimits(const std::string& key,
                        Limits (*compute)(const FigureSource&, const session::QuantityInfo&, bool),
                        const session::QuantityInfo& info, bool offDiagonal) const override;
    std::shared_ptr<const void> remembered(
        const std::string& key,
        const std::function<std::shared_ptr<const void>()>& make) const override;
    std::shared_ptr<const Routing> routingOf(LayerId layer, BranchId branch,
                                             const TokenRange& tokens,
                                             const std::stop_token& stop) const override;
    std::optional<Figure> notice(const FigureRequest& request, const FigureInfo& info,
                                 const BuildContext& context) const;

    using RoutingKey = std::pair<LayerId, BranchId>;
    std::shared_ptr<const FigureSource> source;
    TokenNumbers tokenNumbers;
    mutable std::once_flag tokenTableMade;
    mutable std::shared_ptr<const TokenTable> tokenTable;
    mutable std::mutex mutex;  // guards those below
    mutable std::list<std::pair<std::string, std::shared_ptr<const void>>> memories;
    mutable std::list<std::pair<RoutingKey, std::shared_ptr<const Routing>>> routings;
    mutable std::map<std::string, Limits> limits;
};

// A million tokens take a while: not before a figure wants them.
std::shared_ptr<const TokenTable> FigureBuilder::Impl::tokens() const {
    std::call_once(tokenTableMade, [this] {
        if (!source->head().corpus.ids.empty()) {
            tokenTable = std::make_shared<const TokenTable>(source->head().corpus);
        }
    });
    return tokenTable;
}

std::vector<LayerId> FigureBuilder::Impl::layersOf(std::string_view experiment,
                                                   BranchId branch) const {
    const session::QuantityInfo* lead =
        source->find({branch, std::string(experiment), leadQuantity(experiment)});
    return lead == nullptr ? std::vector<LayerId>{} : lead->layers;
}

std::shared_ptr<const Routing> FigureBuilder::Impl::routingOf(LayerId layer, BranchId branch,
                                                              const TokenRange& tokens,
                                                              const std::stop_token& stop) const {
    const session::QuantityId idsId{branch, "chosen_experts", "ids"};
    const session::QuantityInfo* info = source->find(idsId);
    if (info == nullptr ||
        std::find(info->layers.begin(), info->layers.end(), layer) == info->layers.end()) {
        throw Error(ErrorCode::Usage,
                    fmt::format("The session holds no chosen experts for layer {}; it holds them "
                                "for layers {}.",
                                layer.value,
                                listOf(info == nullptr ? std::vector<LayerId>{} : info->layers)));
    }
    auto routing = std::make_shared<Routing>();
    const auto& layers = source->head().model.layers;
    const session::LayerSummary& shape = layers.at(static_cast<std::size_t>(layer.value));
    routing->experts = shape.experts;
    routing->topK = shape.topK;
    routing->layer = layer;
    routing->tokens = tokens;
    for (std::uint64_t first = tokens.first; first < tokens.end(); first += kRoutingBlock) {
        throwIfStopped(stop);
        const std::uint64_t count = std::min(kRoutingBlock, tokens.end() - first);
        const NdArray ids = source->readRows(idsId, layer, first, count);
        const NdArray weights =
            source->readRows({branch, "chosen_experts", "weights"}, layer, first, count);
        if (ids.shape().size() != 2 || ids.shape() != weights.shape()) {
            throw Error(
                ErrorCode::BadSession,
                fmt::format("chosen_experts of layer {}: ids and weights have different shapes; "
                            "the session is damaged.",
                            layer.value));
        }
        if (ids.shape()[1] != static_cast<std::uint64_t>(routing->topK)) {
            throw Error(ErrorCode::BadSession,
                        fmt::format("chosen_experts of layer {} names {} experts for a token, but "
                                    "the layer chooses {}; the session is damaged.",
                                    layer.value, ids.shape()[1], routing->topK));
        }
        if (first == tokens.first) {
            routing->ids.reserve(tokens.count * ids.shape()[1]);
            routing->weights.reserve(tokens.count * ids.shape()[1]);
        }
        const auto values = weights.values<float>();
        const std::vector<std::uint16_t> experts = expertIds(ids);
        routing->ids.insert(routing->ids.end(), experts.begin(), experts.end());
        routing->weights.insert(routing->weights.end(), values.begin(), values.end());
    }
    const auto most = std::max_element(routing->ids.begin(), routing->ids.end());
    if (most != routing->ids.end() && *most >= routing->experts) {
        throw Error(ErrorCode::BadSession,
                    fmt::format("chosen_experts of layer {} names expert {}, but the layer has "
                                "{}; the session is damaged.",
                                layer.value, *most, routing->experts));
    }
    return routing;
}

std::shared_ptr<const Routing> FigureBuilder::Impl::routing(LayerId layer, BranchId branch,
                                                            const std::stop_token& stop) const {
    const RoutingKey key{layer, branch};
    {
        const std::lock_guard lock(mutex);
        const auto found = std::find_if(routings.begin(), routings.end(),
                                        [&](const auto& entry) { return entry.first == key; });
        if (found != routings.end()) {
            routings.splice(routings.begin(), routings, found);
            return found->second;
        }
    }
    auto routing = routingOf(layer, branch, {0, head().corpus.tokenCount()}, stop);
    const std::lock_guard lock(mutex);
    routings.emplace_front(key, routing);
    std::size_t bytes = 0;
    for (auto entry = routings.begin(); entry != routings.end();) {
        bytes += entry->second->bytes();
        const bool drop = bytes > kMostRoutingBytes && entry != routings.begin();
        entry = drop ? routings.erase(entry) : std::next(entry);
    }
    return routing;
}

std::shared_ptr<const void> FigureBuilder::Impl::remembered(
    const std::string& key, const std::function<std::shared_ptr<const void>()>& make) const {
    {
        const std::lock_guard lock(mutex);
        const auto found = std::find_if(memories.begin(), memories.end(),
                                        [&](const auto& entry) { return entry.first == key; });
        if (found != memories.end()) {
            memories.splice(memories.begin(), memories, found);
            return found->second;
        }
    }
    auto made = make();
    const std::lock_guard lock(mutex);
    memories.emplace_front(key, made);
    if (memories.size() > kMostRemembered) {
        memories.pop_back();
    }
    return made;
}

Limits FigureBuilder::Impl::cachedLimits(const std::string& key,
                                         Limits (*compute)(const FigureSource&,
                                                           const session::QuantityInfo&, bool),
                                         const session::QuantityInfo& info,
                                         bool offDiagonal) const {
    const std::string full =
        fmt::format("{}/{}/{}/{}", info.id.branch.value, info.id.experiment, key, offDiagonal);
    {
        const std::lock_guard lock(mutex);
        const auto found = limits.find(full);
        if (found != limits.end()) {
            return found->second;
        }
    }
    const Limits result = compute(*source, info, offDiagonal);
    const std::lock_guard lock(mutex);
    limits[full] = result;
    return result;
}

// Says in place of a figure why this layer has none; throws for a layer the model does not have.
std::optional<Figure> FigureBuilder::Impl::notice(const FigureRequest& request,
                                                  const FigureInfo& info,
                                                  const BuildContext& context) const {
    const auto& layers = source->head().model.layers;
    const int layer = request.layer->value;
    if (layer < 0 || static_cast<std::size_t>(layer) >= layers.size()) {
        throw Error(ErrorCode::Usage,
                    fmt::format("Layer {} was asked for, but {} has layers 0 to {}.", layer,
                                source->head().model.name, static_cast<int>(layers.size()) - 1));
    }
    std::string message;
    if (!layers[static_cast<std::size_t>(layer)].isRouted()) {
        message = fmt::format("Layer {} is dense: no router", layer);
    } else {
        const std::vector<LayerId> have = figuredLayers(*source, info, request.branch);
        if (std::find(have.begin(), have.end(), *request.layer) == have.end()) {
            message = fmt::format("Layer {} is not computed yet", layer);
        }
    }
    if (message.empty()) {
        return std::nullopt;
    }
    Figure figure = context.frame(std::string(info.title), 0);
    figure.caption.clear();
    figure.howToRead.clear();
    figure.body = NoticeFigure{message};
    return figure;
}

FigureBuilder::FigureBuilder(std::shared_ptr<const FigureSource> source)
    : m_impl(std::make_unique<Impl>(std::move(source))) {}

FigureBuilder::~FigureBuilder() = default;

const session::Head& FigureBuilder::head() const {
    return m_impl->source->head();
}

std::vector<const FigureInfo*> FigureBuilder::available() const {
    std::vector<const FigureInfo*> figures;
    for (const FigureInfo& info : figureCatalogue()) {
        if (findLead(*m_impl->source, info, BranchId{}) != nullptr) {
            figures.push_back(&info);
        }
    }
    return figures;
}

std::vector<LayerId> FigureBuilder::layersOf(const FigureInfo& figure, BranchId branch) const {
    return figuredLayers(*m_impl->source, figure, branch);
}

Figure FigureBuilder::build(const FigureRequest& request, const BuildAids& aids) const {
    const FigureInfo* info = findFigure(request.figure);
    if (info == nullptr) {
        std::string names;
        for (const FigureInfo& known : figureCatalogue()) {
            names += (names.empty() ? "" : ", ") + std::string(known.name);
        }
        throw Error(ErrorCode::Usage, fmt::format("There is no figure \"{}\"; there are: {}.",
                                                  request.figure, names));
    }
    BuildContext context{*m_impl->source, request,
                         *info,           *m_impl,
                         aids.stop,       aids.other ? aids.other->m_impl.get() : nullptr};
    for (const auto& further : aids.further) {
        context.further.push_back(further->m_impl.get());
    }
    const bool isThere = findLead(*m_impl->source, *info, request.branch) != nullptr;
    if (!isThere && !info->removes) {
        (void)context.require(leadQuantity(info->experiment));  // says what is missing
    }
    if (isThere && info->perLayer && request.layer) {
        if (auto instead = m_impl->notice(request, *info, context)) {
            return std::move(*instead);
        }
    }
    for (const auto& [name, builder] : kBuilders) {
        if (info->name == name) {
            return builder(context);
        }
    }
    return buildSimilarity(context);
}

void FigureBuilder::prepareSelections(LayerId layer, BranchId branch,
                                      const std::stop_token& stop) const {
    m_impl->tokenNumbers.prepare(layer, branch, stop);
}

KeptRemovals FigureBuilder::removals(BranchId branch) const {
    return keptRemovals(*m_impl->source, branch);
}

std::shared_ptr<const TokenTable> FigureBuilder::tokens() const {
    return m_impl->tokens();
}

std::shared_ptr<const Routing> FigureBuilder::routing(LayerId layer, BranchId branch,
                                                      const std::stop_token& stop) const {
    return m_impl->routing(layer, branch, stop);
}

}  // namespace moescope::figures
