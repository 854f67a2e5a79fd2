// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/session_builder.h"

#include "core/experiments/catalogue.h"
#include "core/session/run_store.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

namespace moescope::tests {
namespace {

using session::Axis;
using session::Part;
using session::Quantity;

const std::vector<std::string> kWords{" the",   " expert", " router",      "\n",
                                      " token", " layer",  "\xE2\x80\x94", " of"};

std::vector<std::string> labels(const SyntheticRun& run) {
    std::vector<std::string> out;
    for (int i = 0; i < run.experts; ++i) {
        out.push_back(std::to_string(i));
    }
    if (run.withBaseline) {
        out.emplace_back("F");
    }
    return out;
}

/// Symmetric, diagonal 1.
NdArray similarity(std::size_t n, std::mt19937& random) {
    NdArray matrix(ElementType::F32, {n, n});
    auto values = matrix.values<float>();
    std::uniform_real_distribution<float> uniform(0.1F, 0.9F);
    for (std::size_t i = 0; i < n; ++i) {
        values[i * n + i] = 1.0F;
        for (std::size_t j = 0; j < i; ++j) {
            values[i * n + j] = values[j * n + i] = uniform(random);
        }
    }
    return matrix;
}

std::uint64_t keptMaps(const SyntheticRun& run) {
    return static_cast<std::uint64_t>(std::min(run.tokens, 64));
}

Part similarityPart(const SyntheticRun& run, const std::string& experiment, LayerId layer,
                    std::mt19937& random) {
    Part part;
    part.key = {BranchId(0), experiment, layer, 0};
    const auto names = labels(run);
    const std::vector<std::string> quantities =
        experiment == "output_similarity" ? std::vector<std::string>{"mean_angular"}
                                          : std::vector<std::string>{"gate", "up", "down"};
    for (const auto& name : quantities) {
        part.quantities.push_back({name,
                                   {{"row", names}, {"column", names}},
                                   "similarity",
                                   "1",
                                   similarity(names.size(), random)});
    }
    if (experiment == "output_similarity") {
        part.tokens = static_cast<std::uint64_t>(run.tokens);
    }
    if (experiment == "output_similarity" && run.withTokenMaps) {
        NdArray maps(ElementType::F32, {keptMaps(run), names.size(), names.size()});
        for (std::uint64_t i = 0; i < keptMaps(run); ++i) {
            const NdArray one = similarity(names.size(), random);
            std::copy(one.bytes().begin(), one.bytes().end(),
                      maps.bytes().begin() + static_cast<std::ptrdiff_t>(i * one.bytes().size()));
        }
        part.quantities.push_back({"token_cosine",
                                   {{"kept_token", {}}, {"row", names}, {"column", names}},
                                   "cosine of outputs",
                                   "1",
                                   std::move(maps)});
    }
    return part;
}

/// Which tokens the maps are of: at equal distances.
Part mapsModelPart(const SyntheticRun& run) {
    NdArray tokens(ElementType::U64, {keptMaps(run)});
    for (std::uint64_t i = 0; i < tokens.size(); ++i) {
        tokens.values<std::uint64_t>()[i] =
            i * static_cast<std::uint64_t>(run.tokens) / tokens.size();
    }
    Part part;
    part.key = {BranchId(0), "output_similarity", std::nullopt, 0};
    part.quantities.push_back(
        {"kept_tokens", {{"kept_token", {}}}, "kept tokens", "1", std::move(tokens)});
    return part;
}

/// Three roles by `columns` numbers.
NdArray byRole(ElementType type, std::uint64_t columns, std::mt19937& random) {
    NdArray table(type, {3, columns});
    std::uniform_real_distribution<double> uniform(0.0, 1.0);
    for (std::uint64_t i = 0; i < table.size(); ++i) {
        if (type == ElementType::F64) {
            table.values<double>()[i] = uniform(random);
        } else {
            table.values<std::int32_t>()[i] = i % 4 == 1 ? -1 : 0;
        }
    }
    return table;
}

Part routerPart(const SyntheticRun& run, LayerId layer, std::mt19937& random) {
    const std::vector<std::string> roles{"gate", "up", "down"};
    std::vector<std::string> experts = labels(run);
    experts.resize(static_cast<std::size_t>(run.experts));
    Part part;
    part.key = {BranchId(0), "router_similarity", layer, 0};
    part.quantities.push_back({"router",
                               {{"row", experts}, {"column", experts}},
                               "cosine of router rows",
                               "1",
                               similarity(experts.size(), random)});
    part.quantities.push_back(
        {"regression",
         {{"role", roles}, {"statistic", {"slope", "intercept", "r", "r2", "p", "stderr"}}},
         "router similarity (Y) on mean neuron similarity (X)",
         "1",
         byRole(ElementType::F64, 6, random)});
    return part;
}

Part projectionPart(const SyntheticRun& run, LayerId layer, std::mt19937& random) {
    const std::vector<std::string> roles{"gate", "up", "down"};
    const std::vector<std::string> points = labels(run);
    std::normal_distribution<float> normal(0.0F, 20.0F);
    Part part;
    part.key = {BranchId(0), "expert_projection", layer, 0};
    for (const std::string& role : roles) {
        NdArray scores(ElementType::F32, {points.size(), 2});
        for (float& score : scores.values<float>()) {
            score = normal(random);
        }
        part.quantities.push_back({role,
                                   {{"point", points}, {"component", {}}},
                                   "principal components",
                                   "1",
                                   std::move(scores)});
    }
    part.quantities.push_back({"explained",
                               {{"role", roles}, {"component", {}}},
                               "share of the variance",
                               "1",
                               byRole(ElementType::F64, 2, random)});
    part.quantities.push_back({"cluster",
                               {{"role", roles}, {"point", points}},
                               "cluster",
                               "1",
                               byRole(ElementType::I32, points.size(), random)});
    return part;
}

Part statesPart(const SyntheticRun& run, LayerId layer, std::mt19937& random) {
    constexpr std::uint64_t kNeurons = 40;
    const std::vector<std::string> names = labels(run);
    const auto kept = static_cast<std::uint64_t>(std::min(run.tokens, 8));
    std::normal_distribution<float> normal;
    NdArray states(ElementType::F32, {kept, names.size(), kNeurons});
    for (float& state : states.values<float>()) {
        state = normal(random);
    }
    Part part;
    part.key = {BranchId(0), "intermediate_states", layer, 0};
    part.tokens = static_cast<std::uint64_t>(run.tokens);
    part.quantities.push_back({"states",
                               {{"kept_token", {}}, {"expert", names}, {"neuron", {}}},
                               "intermediate states",
                               "1",
                               std::move(states)});
    return part;
}

/// Which tokens the states were kept for.
Part statesModelPart(const SyntheticRun& run) {
    const auto kept = static_cast<std::uint64_t>(std::min(run.tokens, 8));
    NdArray tokens(ElementType::U64, {kept});
    std::iota(tokens.values<std::uint64_t>().begin(), tokens.values<std::uint64_t>().end(), 0U);
    Part part;
    part.key = {BranchId(0), "intermediate_states", std::nullopt, 0};
    part.quantities.push_back(
        {"kept_tokens", {{"kept_token", {}}}, "kept tokens", "1", std::move(tokens)});
    return part;
}

Part matchedPart(const SyntheticRun& run, LayerId layer, std::mt19937& random) {
    const std::vector<std::string> names = labels(run);
    Part part;
    part.key = {BranchId(0), "matched_similarity", layer, 0};
    for (const char* role : {"gate", "up", "down"}) {
        for (const char* measure : {"", "_growth", "_tau", "_neurons"}) {
            part.quantities.push_back({std::string(role) + measure,
                                       {{"row", names}, {"column", names}},
                                       "after matching",
                                       "1",
                                       similarity(names.size(), random)});
        }
    }
    return part;
}

Part neuronPart(const SyntheticRun& run, LayerId layer, std::mt19937& random) {
    const auto neurons = static_cast<std::uint64_t>(run.neurons);  // of each column
    const std::vector<std::string> names = labels(run);
    std::normal_distribution<float> normal;
    Part part;
    part.key = {BranchId(0), "neuron_projection", layer, 0};
    for (const char* role : {"gate", "up", "down"}) {
        NdArray scores(ElementType::F32, {names.size() * neurons, 3});
        for (float& score : scores.values<float>()) {
            score = normal(random);
        }
        part.quantities.push_back({role,
                                   {{"neuron", {}}, {"component", {}}},
                                   "principal components",
                                   "1",
                                   std::move(scores)});
    }
    part.quantities.push_back({"explained",
                               {{"role", {"gate", "up", "down"}}, {"component", {}}},
                               "share of the variance",
                               "1",
                               byRole(ElementType::F64, 3, random)});
    NdArray owners(ElementType::U32, {names.size()});
    for (std::uint32_t& count : owners.values<std::uint32_t>()) {
        count = static_cast<std::uint32_t>(neurons);
    }
    part.quantities.push_back(
        {"neurons", {{"column", names}}, "neurons of each column", "count", std::move(owners)});
    return part;
}

/// Scores per token and expert, from which the routing, norms and rank counts of a layer follow.
struct LayerRouting {
    std::vector<float> scores, norms;
};

LayerRouting routing(const SyntheticRun& run, std::mt19937& random) {
    LayerRouting out;
    std::normal_distribution<float> normal;
    for (int t = 0; t < run.tokens; ++t) {
        std::vector<float> logits(static_cast<std::size_t>(run.experts));
        std::generate(logits.begin(), logits.end(), [&] { return normal(random); });
        float sum = 0;
        for (const float logit : logits) {
            sum += std::exp(logit);
        }
        for (const float logit : logits) {
            out.scores.push_back(std::exp(logit) / sum);
            out.norms.push_back(2.0F + logit + 0.5F * normal(random));
        }
    }
    return out;
}

std::vector<int> ranks(const float* values, int n) {
    std::vector<int> order(static_cast<std::size_t>(n));
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](int a, int b) { return values[a] < values[b]; });
    std::vector<int> rank(order.size());
    for (int i = 0; i < n; ++i) {
        rank[static_cast<std::size_t>(order[static_cast<std::size_t>(i)])] = i;
    }
    return rank;
}

/// The mean of the rows of [tokens, experts].
session::Quantity meanOf(const char* name, const std::vector<float>& rows, std::uint64_t experts) {
    std::vector<double> means(experts, 0.0);
    const auto tokens = static_cast<double>(rows.size() / experts);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        means[i % experts] += static_cast<double>(rows[i]) / tokens;
    }
    return {name, {{"expert", {}}}, name, "1", NdArray::from<double>({experts}, means)};
}

std::vector<Part> routingParts(const SyntheticRun& run, LayerId layer, std::mt19937& random) {
    const LayerRouting layerRouting = routing(run, random);
    const auto T = static_cast<std::uint64_t>(run.tokens);
    const auto E = static_cast<std::uint64_t>(run.experts);
    const auto K = static_cast<std::uint64_t>(run.topK);
    NdArray ids(ElementType::U8, {T, K});
    NdArray weights(ElementType::F32, {T, K});
    NdArray margins(ElementType::F32, {T, 1});
    NdArray counts(ElementType::U64, {E, E});
    for (std::uint64_t t = 0; t < T; ++t) {
        const float* scores = layerRouting.scores.data() + t * E;
        const auto scoreRank = ranks(scores, run.experts);
        const auto normRank = ranks(layerRouting.norms.data() + t * E, run.experts);
        float sum = 0;
        const auto placed = [&](std::uint64_t place) {
            const auto rank = static_cast<int>(E - 1 - place);
            const auto found = std::find(scoreRank.begin(), scoreRank.end(), rank);
            return scores[found - scoreRank.begin()];
        };
        margins.values<float>()[t] = K < E ? placed(K - 1) - placed(K) : 0.0F;
        for (std::uint64_t e = 0; e < E; ++e) {
            counts.values<std::uint64_t>()[static_cast<std::uint64_t>(scoreRank[e]) * E +
                                           static_cast<std::uint64_t>(normRank[e])] += 1;
            const std::uint64_t place = E - 1 - static_cast<std::uint64_t>(scoreRank[e]);
            if (place < K) {
                ids.values<std::uint8_t>()[t * K + place] = static_cast<std::uint8_t>(e);
                weights.values<float>()[t * K + place] = scores[e];
                sum += scores[e];
            }
        }
        for (std::uint64_t i = 0; i < K; ++i) {
            weights.values<float>()[t * K + i] /= sum;
        }
    }
    const auto key = [&](const char* experiment) {
        return session::PartKey{BranchId(0), experiment, layer, 0};
    };
    Part norms{key("norms_scores"), T, {}, {}};
    norms.quantities.push_back({"norm",
                                {{"token", {}}, {"expert", {}}},
                                "output norm",
                                "1",
                                NdArray::from<float>({T, E}, layerRouting.norms)});
    norms.quantities.push_back({"score",
                                {{"token", {}}, {"expert", {}}},
                                "router score",
                                "1",
                                NdArray::from<float>({T, E}, layerRouting.scores)});
    norms.quantities.push_back(meanOf("mean_norm", layerRouting.norms, E));
    norms.quantities.push_back(meanOf("mean_score", layerRouting.scores, E));
    Part rankCounts{key("rank_counts"), T, {}, {}};
    rankCounts.quantities.push_back(
        {"count", {{"score_rank", {}}, {"norm_rank", {}}}, "tokens", "count", counts});
    for (const char* name : {"diagonal_share", "spearman", "agreeing_ranks"}) {
        rankCounts.quantities.push_back(
            {name, {{"value", {}}}, name, "1", NdArray(ElementType::F64, {1})});
    }
    Part chosen{key("chosen_experts"), T, {}, {}};
    chosen.quantities.push_back({"ids", {{"token", {}}, {"k", {}}}, "expert", "1", ids});
    chosen.quantities.push_back(
        {"weights", {{"token", {}}, {"k", {}}}, "routing weight", "1", weights});
    if (run.withMargin) {
        chosen.quantities.push_back({"margin",
                                     {{"token", {}}, {"value", {}}},
                                     "margin of the selection score",
                                     "1",
                                     margins});
    }
    return {norms, rankCounts, chosen};
}

/// As runs do, where there is room.
void addTokenLosses(const SyntheticRun& run, const std::vector<std::string>& layers,
                    const std::vector<std::string>& experts, Part& part) {
    constexpr std::uint64_t kMost = 1'000'000;
    const auto tokens = static_cast<std::uint64_t>(run.tokens);
    const std::uint64_t rows = layers.size() * experts.size();
    if (rows * tokens > kMost) {
        return;
    }
    std::vector<float> losses(rows * tokens);
    for (std::size_t i = 0; i < losses.size(); ++i) {
        losses[i] = static_cast<float>(i * 31 % 97) / 97.0F - 0.3F;
    }
    part.quantities.push_back(
        {"single_token_loss",
         {{"at_layer", layers}, {"expert", experts}, {"position", {}}},
         "loss",
         "nat",
         NdArray::from<float>({layers.size(), experts.size(), tokens}, losses)});
    NdArray predicted(ElementType::U32, {layers.size(), experts.size(), tokens});
    for (std::size_t i = 0; i < predicted.size(); ++i) {
        predicted.values<std::uint32_t>()[i] = static_cast<std::uint32_t>(i % 7);
    }
    part.quantities.push_back({"single_predicted",
                               {{"at_layer", layers}, {"expert", experts}, {"position", {}}},
                               "predicted id",
                               "1",
                               std::move(predicted)});
}

/// Loss, accuracy and changed predictions without an expert.
Part removalPart(const SyntheticRun& run) {
    std::vector<std::string> layers;
    std::vector<std::string> experts;
    for (int i = 1; i < run.layers; ++i) {
        layers.push_back(std::to_string(i));
    }
    for (int e = 0; e < run.experts; ++e) {
        experts.push_back(std::to_string(e));
    }
    const std::vector<std::string> measures{"loss", "accuracy", "changed"};
    const auto values = [](std::size_t count) {
        std::vector<double> made;
        for (std::size_t i = 0; i < count; ++i) {
            made.push_back(2.5 + 0.01 * static_cast<double>(i % 7));
            made.push_back(0.5 - 0.01 * static_cast<double>(i % 5));
            made.push_back(0.02 * static_cast<double>(i % 3));
        }
        return made;
    };
    Part part{{BranchId(0), "expert_removal", std::nullopt, 0},
              static_cast<std::uint64_t>(run.tokens),
              {},
              {}};
    part.quantities.push_back(
        {"intact", {{"measure", measures}}, "intact", "1", NdArray::from<double>({3}, values(1))});
    part.quantities.push_back({"everywhere",
                               {{"expert", experts}, {"measure", measures}},
                               "all",
                               "1",
                               NdArray::from<double>({experts.size(), 3}, values(experts.size()))});
    NdArray predicted(ElementType::U32, {static_cast<std::uint64_t>(run.tokens)});
    for (std::uint64_t t = 0; t < predicted.size(); ++t) {
        predicted.values<std::uint32_t>()[t] = static_cast<std::uint32_t>(t % 3);
    }
    part.quantities.push_back(
        {"predicted", {{"token", {}}}, "predicted id", "1", std::move(predicted)});
    part.quantities.push_back({"single",
                               {{"at_layer", layers}, {"expert", experts}, {"measure", measures}},
                               "one",
                               "1",
                               NdArray::from<double>({layers.size(), experts.size(), 3},
                                                     values(layers.size() * experts.size()))});
    const auto tokens = static_cast<std::uint64_t>(run.tokens);
    const session::Axis sets{"set", {"1:0,2:1", "3"}};
    part.quantities.push_back({"set",
                               {sets, {"measure", measures}},
                               "sets",
                               "1",
                               NdArray::from<double>({2, 3}, values(2))});
    part.quantities.push_back(
        {"token_loss", {{"token", {}}}, "loss", "nat", NdArray(ElementType::F32, {tokens})});
    std::vector<float> losses(2 * tokens);
    for (std::size_t i = 0; i < losses.size(); ++i) {
        losses[i] = static_cast<float>(i % 11);
    }
    part.quantities.push_back({"set_token_loss",
                               {sets, {"position", {}}},
                               "loss",
                               "nat",
                               NdArray::from<float>({2, tokens}, losses)});
    part.quantities.push_back({"set_predicted",
                               {sets, {"position", {}}},
                               "predicted id",
                               "1",
                               NdArray(ElementType::U32, {2, tokens})});
    addTokenLosses(run, layers, experts, part);
    return part;
}

/// Loss, accuracy and changed predictions of made-up branches.
session::Quantity branchTable(const char* name, const session::Axis& rows,
                              const session::Axis& columns) {
    std::vector<double> values;
    for (std::size_t r = 0; r < rows.labels.size(); ++r) {
        for (std::size_t c = 0; c < columns.labels.size(); ++c) {
            const double rise = 0.01 * static_cast<double>((r + 1) * (c + 1) % 11);
            values.insert(values.end(), {2.5 + rise, 0.5 - rise, 2.0 * rise});
        }
    }
    const Shape shape{rows.labels.size(), columns.labels.size(), 3};
    return {name,
            {rows, columns, {"measure", {"loss", "accuracy", "changed"}}},
            name,
            "1",
            NdArray::from<double>(shape, values)};
}

Part branchPart(const char* experiment, const SyntheticRun& run) {
    Part part{
        {BranchId(0), experiment, std::nullopt, 0}, static_cast<std::uint64_t>(run.tokens), {}, {}};
    const std::vector<double> intact{2.5, 0.5, 0.0};
    part.quantities.push_back({"intact",
                               {{"measure", {"loss", "accuracy", "changed"}}},
                               "intact",
                               "1",
                               NdArray::from<double>({3}, intact)});
    return part;
}

Part fewerPart(const SyntheticRun& run) {
    session::Axis layers{"from_layer", {}};
    for (int i = 1; i < run.layers; ++i) {
        layers.labels.push_back(std::to_string(i));
    }
    session::Axis chosen{"chosen", {}};
    for (int k = 1; k < run.topK; ++k) {
        chosen.labels.push_back(std::to_string(k));
    }
    session::Axis kept{"kept", {}};
    for (int n = run.topK; n < run.experts; n += std::max(1, run.experts / 8)) {
        kept.labels.push_back(std::to_string(n));
    }
    Part part = branchPart("fewer_experts", run);
    if (!chosen.labels.empty()) {
        part.quantities.push_back(branchTable("chosen", layers, chosen));
    }
    if (!kept.labels.empty()) {
        part.quantities.push_back(branchTable("kept", layers, kept));
    }
    return part;
}

Part pruningPart(const SyntheticRun& run) {
    Part part = branchPart("pruning", run);
    if (!run.withCurves) {
        return part;
    }
    part.quantities.push_back(
        branchTable("curves",
                    {"criterion",
                     {"load", "weight_mass", "mean_weight", "ean_sum", "ean_mean", "reap",
                      "random_1", "random_2", "random_3"}},
                    {"share", {"0.125", "0.25", "0.375", "0.5", "0.625", "0.75"}}));
    return part;
}

/// Numbers without a generator, so that those of the other parts stay as they are.
float madeUp(std::uint64_t i) {
    return static_cast<float>((i * 7919U) % 1009U) / 1009.0F;
}

Part importancePart(const SyntheticRun& run, LayerId layer) {
    NdArray norms(ElementType::F32,
                  {static_cast<std::uint64_t>(run.tokens), static_cast<std::uint64_t>(run.topK)});
    NdArray largest(ElementType::F32, {static_cast<std::uint64_t>(run.experts)});
    std::uint64_t i = static_cast<std::uint64_t>(layer.value) * 131U;
    for (float& norm : norms.values<float>()) {
        norm = 1.0F + madeUp(++i);
    }
    for (float& value : largest.values<float>()) {
        value = 0.1F + madeUp(++i);
    }
    Part part{
        {BranchId(0), "importance", layer, 0}, static_cast<std::uint64_t>(run.tokens), {}, {}};
    part.quantities.push_back(
        {"norm", {{"token", {}}, {"k", {}}}, "norm of the output", "1", std::move(norms)});
    part.quantities.push_back(
        {"largest_output", {{"expert", {}}}, "largest magnitude", "1", std::move(largest)});
    return part;
}

Part marginPart(const SyntheticRun& run, LayerId layer) {
    const auto tokens = static_cast<std::uint64_t>(run.tokens);
    NdArray margins(ElementType::F32, {tokens, 3});
    NdArray next(ElementType::U16, {tokens, 1});
    NdArray flips(ElementType::U8, {tokens, 4});
    for (std::uint64_t t = 0; t < tokens; ++t) {
        const float margin = 0.3F * madeUp(t + static_cast<std::uint64_t>(layer.value) * 17U);
        margins.values<float>()[3 * t] = margin;
        margins.values<float>()[3 * t + 1] = 5.0F * margin;
        margins.values<float>()[3 * t + 2] = madeUp(t + 5);
        next.values<std::uint16_t>()[t] =
            static_cast<std::uint16_t>(t % static_cast<std::uint64_t>(run.experts));
        flips.values<std::uint8_t>()[4 * t + 2] = margin < 0.05F ? 1 : 0;
    }
    Part part{{BranchId(0), "router_margin", layer, 0}, tokens, {}, {}};
    part.quantities.push_back(
        {"margin",
         {{"token", {}}, {"measure", {"selection score", "logit", "entropy"}}},
         "margins",
         "1",
         std::move(margins)});
    part.quantities.push_back(
        {"next_expert", {{"token", {}}, {"value", {}}}, "next", "1", std::move(next)});
    part.quantities.push_back({"flips",
                               {{"token", {}}, {"change", {"0.01", "0.05", "0.2", "bfloat16"}}},
                               "flips",
                               "1",
                               std::move(flips)});
    return part;
}

Part parametersPart() {
    const std::vector<std::string> components{
        "embedding",      "attention",          "router", "routed_experts",
        "shared_experts", "dense_feed_forward", "norms",  "head"};
    NdArray total(ElementType::U64, {components.size()});
    std::iota(total.values<std::uint64_t>().begin(), total.values<std::uint64_t>().end(), 1000);
    Part part{{BranchId(0), "parameters", std::nullopt, 0}, 0, {}, {}};
    part.quantities.push_back({"total", {{"component", components}}, "parameters", "count", total});
    part.quantities.push_back(
        {"active", {{"component", components}}, "parameters", "count", total});
    return part;
}

}  // namespace

session::Head syntheticHead(const SyntheticRun& run) {
    session::Head head;
    head.uuid = "01234567-89ab-cdef-0123-456789abcdef";
    head.title = "synthetic-moe";
    head.model.name = "synthetic-moe";
    head.model.identity = "synthetic";
    head.model.family = "mixtral";
    head.model.familyTitle = "Mixtral";
    head.model.storedDtype = "bfloat16";
    head.model.hiddenSize = 16;
    head.model.vocabSize = static_cast<int>(kWords.size());
    head.model.cardJson = "{}";
    head.model.configText = "{\"model_type\": \"mixtral\"}";
    head.model.layers.push_back({0, 0, 0, 64});
    for (int i = 1; i < run.layers; ++i) {
        head.model.layers.push_back({run.experts, run.topK, 0, 32});
    }
    if (run.withBaseline) {
        head.baselines.push_back(head.model);
        head.baselines.back().name = "synthetic-dense";
        head.baselines.back().identity = "synthetic-dense";
    }
    for (int t = 0; t < run.tokens; ++t) {
        const auto id = static_cast<std::uint32_t>(t) % static_cast<std::uint32_t>(kWords.size());
        head.corpus.ids.push_back(id);
        head.corpus.tokenBytes.push_back(kWords[id]);
    }
    head.corpus.domains = {"prose", "code"};
    for (int d = 0; d < run.documents; ++d) {
        head.corpus.offsets.push_back(static_cast<std::uint64_t>(d * run.tokens / run.documents));
        head.corpus.sources.push_back("text:" + std::to_string(d));
        head.corpus.domainOf.push_back(d % 2);
    }
    head.corpus.offsets.push_back(static_cast<std::uint64_t>(run.tokens));
    head.run.commandLine = run.commandLine;
    head.run.device = "cpu";
    head.run.dtype = "float32";
    head.run.createdUtc = "2026-01-01T00:00:00Z";
    head.run.programVersion = "0.1.0";
    head.branches.push_back({BranchId(0), "intact", "{}"});
    for (const std::string& id : run.experiments) {
        const auto* info = experiments::findExperiment(id);
        session::ExperimentRecord record;
        record.id = id;
        record.version = info->version;
        record.title = info->title;
        record.definition = info->definition;
        if (id != "parameters" && id != "coloured_text" && id != "expert_removal" &&
            id != "fewer_experts" && id != "pruning") {
            for (int i = 1; i < run.layers; ++i) {
                record.layers.emplace_back(i);
            }
        }
        const bool areListsAlone = id == "pruning" && !run.withCurves;
        record.optionsJson = areListsAlone ? R"({"curves":false})" : "{}";
        head.experiments.push_back(record);
    }
    return head;
}

std::vector<session::Part> syntheticParts(const SyntheticRun& run) {
    std::mt19937 random(7);
    std::vector<Part> all;
    for (int i = 1; i < run.layers; ++i) {
        for (const char* id :
             {"weight_similarity", "mean_neuron_similarity", "output_similarity"}) {
            all.push_back(similarityPart(run, id, LayerId(i), random));
        }
        all.push_back(routerPart(run, LayerId(i), random));
        all.push_back(projectionPart(run, LayerId(i), random));
        all.push_back(matchedPart(run, LayerId(i), random));
        all.push_back(neuronPart(run, LayerId(i), random));
        all.push_back(statesPart(run, LayerId(i), random));
        all.push_back(importancePart(run, LayerId(i)));
        all.push_back(marginPart(run, LayerId(i)));
        auto routed = routingParts(run, LayerId(i), random);
        std::move(routed.begin(), routed.end(), std::back_inserter(all));
    }
    all.push_back(parametersPart());
    all.push_back(removalPart(run));
    all.push_back(fewerPart(run));
    all.push_back(pruningPart(run));
    all.push_back(statesModelPart(run));
    if (run.withTokenMaps) {
        all.push_back(mapsModelPart(run));
    }
    std::erase_if(all, [&](const Part& part) {
        return std::find(run.experiments.begin(), run.experiments.end(), part.key.experiment) ==
               run.experiments.end();
    });
    return all;
}

void writeSyntheticSession(const std::filesystem::path& path, const SyntheticRun& run) {
    session::RunStore store(path);
    store.begin(syntheticHead(run));
    for (const auto& part : syntheticParts(run)) {
        store.writePart(part);
    }
    store.finish();
}

}  // namespace moescope::tests
