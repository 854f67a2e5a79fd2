// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/core/figures/made_source.h"

#include "core/base/error.h"
#include "core/numerics/ranks.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

namespace moescope::tests {
namespace {

using session::Axis;

constexpr std::array<const char*, 48> kWords{"As",
                                             " an",
                                             " open",
                                             " source",
                                             " alternative",
                                             " to",
                                             " the",
                                             " closed",
                                             " model",
                                             ",",
                                             " it",
                                             " routes",
                                             " each",
                                             " token",
                                             " to",
                                             " two",
                                             " of",
                                             " its",
                                             " experts",
                                             ".",
                                             "\n",
                                             "def",
                                             " main",
                                             "(",
                                             "args",
                                             ")",
                                             ":",
                                             "\n",
                                             "\t",
                                             "return",
                                             " caf",
                                             "\xC3\xA9",
                                             " \xE4\xB8\xAD\xE6\x96\x87",
                                             " 3",
                                             ".",
                                             "14",
                                             " +",
                                             " x",
                                             "\xE2",
                                             "\x82",
                                             "\xAC",
                                             " router",
                                             " prefers",
                                             " large",
                                             " out",
                                             "puts",
                                             "!",
                                             "\n"};

std::vector<std::string> labels(int experts, bool baseline) {
    std::vector<std::string> out;
    for (int i = 0; i < experts; ++i) {
        out.push_back(std::to_string(i));
    }
    if (baseline) {
        out.emplace_back("F");
    }
    return out;
}

// A symmetric map with a group structure, ones on the diagonal.
NdArray similarity(int n, std::uint32_t seed, double base, double spread) {
    std::mt19937 random(seed);
    std::normal_distribution<double> noise(0.0, spread * 0.3);
    NdArray array(ElementType::F32, {static_cast<std::uint64_t>(n), static_cast<std::uint64_t>(n)});
    const auto values = array.values<float>();
    for (int i = 0; i < n; ++i) {
        for (int j = 0; j <= i; ++j) {
            const double group = i / 3 == j / 3 ? spread : 0.0;
            const double value = i == j ? 1.0 : base + group + noise(random);
            values[static_cast<std::size_t>(i * n + j)] = static_cast<float>(value);
            values[static_cast<std::size_t>(j * n + i)] = static_cast<float>(value);
        }
    }
    return array;
}

}  // namespace

MadeSource::MadeSource(const MadeSession& what) {
    m_head.uuid = "5a1f0c1e-0000-4000-8000-000000000001";
    m_head.title = "made up";
    m_head.model.name = "made-moe";
    m_head.model.identity = "sha256:0123";
    m_head.model.familyTitle = "Mixtral";
    m_head.model.family = what.family;
    m_head.model.hiddenSize = what.hiddenSize;
    m_head.run.dtype = "float32";
    m_head.run.device = "cpu";
    m_head.run.programVersion = "0.1.0";
    m_head.branches.push_back({BranchId{0}, "intact", "{}"});
    for (int l = 0; l < what.layers; ++l) {
        const bool dense = l == 0 && what.denseFirst;
        m_head.model.layers.push_back(
            {dense ? 0 : what.experts, dense ? 0 : what.topK, 0, what.intermediateSize});
    }
    for (const char* id : {"weight_similarity", "mean_neuron_similarity", "router_similarity",
                           "expert_projection", "parameters", "output_similarity", "norms_scores",
                           "rank_counts", "intermediate_states", "chosen_experts"}) {
        session::ExperimentRecord record;
        record.id = id;
        record.state = session::ExperimentState::Done;
        m_head.experiments.push_back(record);
    }
    makeText(what);
    for (int l = what.denseFirst ? 1 : 0; l < what.layers; ++l) {
        makeLayer(what, LayerId{l});
        makeUse(what, LayerId{l});
    }
    makeParameters();
    makeRemoval(what);
    makeBranches(what);
}

void MadeSource::makeText(const MadeSession& what) {
    auto& corpus = m_head.corpus;
    for (std::uint64_t t = 0; t < what.tokens; ++t) {
        corpus.ids.push_back(static_cast<std::uint32_t>(t % kWords.size()));
        corpus.tokenBytes.emplace_back(kWords[t % kWords.size()]);
    }
    for (std::uint64_t d = 0; d <= what.documents; ++d) {
        corpus.offsets.push_back(what.tokens * d / what.documents);
    }
    for (std::uint64_t d = 0; d < what.documents; ++d) {
        corpus.sources.push_back("made:" + std::to_string(d + 1));
    }
    corpus.domainOf.assign(what.documents, -1);
}

void MadeSource::makeLayer(const MadeSession& what, LayerId layer) {
    makeStatics(what, layer);
    makeNeurons(what, layer);
    makeStates(what, layer);
    const int n = what.experts;
    const auto all = labels(n, what.baseline);
    const auto size = static_cast<int>(all.size());
    const auto seed = static_cast<std::uint32_t>(layer.value * 100);
    const std::vector<Axis> pair{{"row", all}, {"column", all}};
    const std::vector<Axis> experts{{"row", labels(n, false)}, {"column", labels(n, false)}};
    int role = 0;
    for (const char* name : {"gate", "up", "down"}) {
        ++role;
        const double base = 0.25 + 0.02 * layer.value;
        const auto s = seed + static_cast<std::uint32_t>(role);
        put("weight_similarity", name, layer, similarity(size, s, base, 0.12), pair);
        put("weight_similarity", name + std::string("_relative"), layer,
            similarity(n, s, -0.05, 0.2), experts);
        put("mean_neuron_similarity", name, layer, similarity(size, s + 10, 0.7, 0.1), pair);
    }
    put("output_similarity", "mean_angular", layer, similarity(size, seed + 20, 0.55, 0.08), pair);
    put("output_similarity", "mean_angular_relative", layer, similarity(n, seed + 21, 0.45, 0.08),
        experts);
    const auto kept = std::min<std::uint64_t>(what.tokens, 8);
    NdArray cosines(ElementType::F32,
                    {kept, static_cast<std::uint64_t>(size), static_cast<std::uint64_t>(size)});
    NdArray keptTokens(ElementType::U64, {kept});
    for (std::uint64_t t = 0; t < kept; ++t) {
        const NdArray one = similarity(size, seed + 30 + static_cast<std::uint32_t>(t), 0.3, 0.3);
        std::copy(one.bytes().begin(), one.bytes().end(),
                  cosines.bytes().begin() + static_cast<std::ptrdiff_t>(t * one.bytes().size()));
        keptTokens.values<std::uint64_t>()[t] = t;
    }
    put("output_similarity", "token_cosine", layer, std::move(cosines),
        {{"kept_token", {}}, {"row", all}, {"column", all}});
    put("output_similarity", "kept_tokens", std::nullopt, std::move(keptTokens),
        {{"kept_token", {}}});

    const auto e = static_cast<std::size_t>(n);
    const auto k = static_cast<std::size_t>(what.topK);
    NdArray norm(ElementType::F32, {what.tokens, e});
    NdArray score(ElementType::F32, {what.tokens, e});
    NdArray ids(n > 256 ? ElementType::U16 : ElementType::U8, {what.tokens, k});
    NdArray weights(ElementType::F32, {what.tokens, k});
    std::mt19937 random(seed + 50);
    std::normal_distribution<float> normal;
    std::vector<float> logits(e);
    std::vector<std::uint32_t> chosen(k);
    for (std::uint64_t t = 0; t < what.tokens; ++t) {
        float sum = 0.0F;
        for (std::size_t i = 0; i < e; ++i) {
            logits[i] = normal(random) * 1.4F;
            norm.values<float>()[t * e + i] = std::exp(0.5F * logits[i] + 0.4F * normal(random));
            sum += std::exp(logits[i]);
        }
        const auto scores = score.values<float>().subspan(t * e, e);
        for (std::size_t i = 0; i < e; ++i) {
            scores[i] = std::exp(logits[i]) / sum;
        }
        numerics::topK(scores, chosen);
        float chosenSum = 0.0F;
        for (const std::uint32_t id : chosen) {
            chosenSum += scores[id];
        }
        for (std::size_t i = 0; i < k; ++i) {
            if (n > 256) {
                ids.values<std::uint16_t>()[t * k + i] = static_cast<std::uint16_t>(chosen[i]);
            } else {
                ids.values<std::uint8_t>()[t * k + i] = static_cast<std::uint8_t>(chosen[i]);
            }
            weights.values<float>()[t * k + i] = scores[chosen[i]] / chosenSum;
        }
    }
    NdArray counts(ElementType::U64, {e, e});
    numerics::addRankCounts(score.values<float>(), norm.values<float>(), e,
                            counts.values<std::uint64_t>());
    put("rank_counts", "count", layer, std::move(counts), {{"score_rank", {}}, {"norm_rank", {}}});
    put("norms_scores", "norm", layer, std::move(norm), {{"token", {}}, {"expert", {}}});
    put("norms_scores", "score", layer, std::move(score), {{"token", {}}, {"expert", {}}});
    put("chosen_experts", "ids", layer, std::move(ids), {{"token", {}}, {"k", {}}});
    put("chosen_experts", "weights", layer, std::move(weights), {{"token", {}}, {"k", {}}});
}

// Router rows beside the weights, experts projected.
void MadeSource::makeStatics(const MadeSession& what, LayerId layer) {
    const int n = what.experts;
    const std::vector<std::string> roles{"gate", "up", "down"};
    const std::vector<Axis> experts{{"row", labels(n, false)}, {"column", labels(n, false)}};
    std::mt19937 random(static_cast<std::uint32_t>(layer.value) * 100 + 70);
    std::normal_distribution<float> normal;
    put("router_similarity", "router", layer,
        similarity(n, static_cast<std::uint32_t>(layer.value) * 100 + 71, 0.1, 0.2), experts);
    NdArray regression(ElementType::F64, {3, 6});
    for (std::uint64_t i = 0; i < 18; ++i) {
        regression.values<double>()[i] = 0.1 * static_cast<double>(i) + layer.value;
    }
    put("router_similarity", "regression", layer, std::move(regression),
        {{"role", roles}, {"statistic", {"slope", "intercept", "r", "r2", "p", "stderr"}}});
    m_infos[{BranchId{}, "router_similarity", "regression"}].longName =
        "router similarity (Y) on mean neuron similarity (X)";
    put("router_similarity", "mean_r2", std::nullopt,
        NdArray::from<double>({3}, std::vector<double>{0.33, 0.06, 0.07}), {{"role", roles}});
    const auto points = static_cast<std::uint64_t>(labels(n, what.baseline).size());
    NdArray clusters(ElementType::I32, {3, points});
    for (const std::string& role : roles) {
        NdArray scores(ElementType::F32, {points, 2});
        for (float& score : scores.values<float>()) {
            score = 30.0F * normal(random);
        }
        put("expert_projection", role, layer, std::move(scores),
            {{"point", labels(n, what.baseline)}, {"component", {}}});
    }
    clusters.values<std::int32_t>()[1] = -1;
    put("expert_projection", "cluster", layer, std::move(clusters),
        {{"role", roles}, {"point", labels(n, what.baseline)}});
    put("expert_projection", "explained", layer,
        NdArray::from<double>({3, 2}, std::vector<double>{0.342, 0.129, 0.5, 0.25, 0.4, 0.1}),
        {{"role", roles}, {"component", {}}});
}

// Experts and F as wide, S of another width.
void MadeSource::makeStates(const MadeSession& what, LayerId layer) {
    const auto all = labels(what.experts, what.baseline);
    const auto kept = std::min<std::uint64_t>(what.tokens, 8);
    constexpr std::uint64_t kNeurons = 24;
    std::mt19937 random(static_cast<std::uint32_t>(layer.value) * 100 + 90);
    std::normal_distribution<float> normal;
    NdArray states(ElementType::F32, {kept, all.size(), kNeurons});
    for (float& state : states.values<float>()) {
        const float x = normal(random);
        state = x / (1.0F + std::exp(-x));
    }
    states.values<float>()[3] = 0.0F;
    put("intermediate_states", "states", layer, std::move(states),
        {{"kept_token", {}}, {"expert", all}, {"neuron", {}}});
    put("intermediate_states", "states_S", layer,
        NdArray(ElementType::F32, {kept, 1, 2 * kNeurons}),
        {{"kept_token", {}}, {"expert", {"S"}}, {"neuron", {}}});
    NdArray shares(ElementType::F32, {all.size()});
    for (float& share : shares.values<float>()) {
        share = 0.75F;
    }
    put("intermediate_states", "active_share", layer, std::move(shares), {{"expert", all}});
    NdArray tokens(ElementType::U64, {kept});
    for (std::uint64_t i = 0; i < kept; ++i) {
        tokens.values<std::uint64_t>()[i] = 2 * i;
    }
    put("intermediate_states", "kept_tokens", std::nullopt, std::move(tokens),
        {{"kept_token", {}}});
    put("intermediate_states", "threshold", std::nullopt,
        NdArray::from<double>({1}, std::vector<double>{0.001}), {{"value", {}}});
}

// Matched neurons and neurons projected.
void MadeSource::makeNeurons(const MadeSession& what, LayerId layer) {
    const auto all = labels(what.experts, what.baseline);
    const auto size = static_cast<int>(all.size());
    const std::vector<Axis> pair{{"row", all}, {"column", all}};
    const std::vector<std::string> roles{"gate", "up", "down"};
    auto seed = static_cast<std::uint32_t>(layer.value) * 100 + 80;
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    constexpr std::uint64_t kNeurons = 6;  // of each column
    for (const std::string& role : roles) {
        put("matched_similarity", role, layer, similarity(size, ++seed, 0.4, 0.1), pair);
        put("matched_similarity", role + "_growth", layer, similarity(size, ++seed, 0.1, 0.05),
            pair);
        put("matched_similarity", role + "_tau", layer, similarity(size, ++seed, 0.0, 0.4), pair);
        NdArray scores(ElementType::F32, {all.size() * kNeurons, 3});
        for (float& score : scores.values<float>()) {
            score = normal(random);
        }
        put("neuron_projection", role, layer, std::move(scores),
            {{"neuron", {}}, {"component", {}}});
    }
    put("matched_similarity", "random", layer,
        NdArray::from<double>({1}, std::vector<double>{0.125}), {{"value", {}}});
    put("neuron_projection", "explained", layer,
        NdArray::from<double>({3, 3}, std::vector<double>(9, 0.25)),
        {{"role", roles}, {"component", {}}});
    put("neuron_projection", "neurons", layer,
        NdArray::from<std::uint32_t>({all.size()},
                                     std::vector<std::uint32_t>(all.size(), kNeurons)),
        {{"column", all}});
}

// Loss, accuracy and changed predictions: the loss rises by 0.01 (layer + expert).
void MadeSource::makeRemoval(const MadeSession& what) {
    const Axis measures{"measure", {"loss", "accuracy", "changed"}};
    const Axis experts{"expert", labels(what.experts, false)};
    Axis layers{"at_layer", {}};
    std::vector<double> single;
    std::vector<double> everywhere;
    const auto add = [](std::vector<double>& to, double rise) {
        to.insert(to.end(), {2.0 + rise, 0.5 - rise, rise});
    };
    for (int l = what.denseFirst ? 1 : 0; l < what.layers; ++l) {
        layers.labels.push_back(std::to_string(l));
        for (int e = 0; e < what.experts; ++e) {
            add(single, 0.01 * (l + e));
        }
    }
    for (int e = 0; e < what.experts; ++e) {
        add(everywhere, 0.1 * e);
    }
    std::vector<double> intact;
    add(intact, 0.0);
    const auto rows = static_cast<std::uint64_t>(what.experts);
    put("expert_removal", "single", std::nullopt,
        NdArray::from<double>({layers.labels.size(), rows, 3}, single),
        {layers, experts, measures});
    put("expert_removal", "everywhere", std::nullopt, NdArray::from<double>({rows, 3}, everywhere),
        {experts, measures});
    put("expert_removal", "intact", std::nullopt, NdArray::from<double>({3}, intact), {measures});
    // Two chosen sets; the loss of token t rises by (t modulo 7) / 7, twice that in the second.
    std::vector<double> sets;
    std::vector<double> controls;
    for (int set = 0; set < 2; ++set) {
        add(sets, 0.5 + set);
        add(controls, 0.1);
        add(controls, 0.3);
    }
    const Axis names{"set", {"0:1,2:3", "5"}};
    put("expert_removal", "set", std::nullopt, NdArray::from<double>({2, 3}, sets),
        {names, measures});
    put("expert_removal", "set_controls", std::nullopt, NdArray::from<double>({2, 2, 3}, controls),
        {names, {"control", {}}, measures});
    const std::vector<std::uint32_t> removed{0, 0, 1, 1, 0, 1, 2, 0, 1, 0, 3, 2, 1, 1, 1, 1};
    put("expert_removal", "set_control_experts", std::nullopt,
        NdArray::from<std::uint32_t>({4, 4}, removed),
        {{"removed", {}}, {"column", {"set", "control", "layer", "expert"}}});
    const auto tokens = m_head.corpus.tokenCount();
    std::vector<float> before(tokens, 2.0F);
    std::vector<float> without;
    for (int set = 1; set <= 2; ++set) {
        for (std::size_t t = 0; t < tokens; ++t) {
            without.push_back(2.0F + static_cast<float>(set) * static_cast<float>(t % 7) / 7.0F);
        }
    }
    for (std::size_t d = 1; d < m_head.corpus.offsets.size(); ++d) {
        const std::size_t last = m_head.corpus.offsets[d] - 1;
        before[last] = without[last] = without[tokens + last] =
            std::numeric_limits<float>::quiet_NaN();
    }
    put("expert_removal", "token_loss", std::nullopt, NdArray::from<float>({tokens}, before),
        {{"token", {}}});
    put("expert_removal", "set_token_loss", std::nullopt,
        NdArray::from<float>({2, tokens}, without), {names, {"position", {}}});
    std::vector<std::uint32_t> predicted(2 * tokens);
    for (std::size_t i = 0; i < predicted.size(); ++i) {
        predicted[i] = static_cast<std::uint32_t>(i % 5);
    }
    put("expert_removal", "set_predicted", std::nullopt,
        NdArray::from<std::uint32_t>({2, tokens}, predicted), {names, {"position", {}}});
}

/// Fewer experts and pruning curves.
void MadeSource::makeBranches(const MadeSession& what) {
    const Axis measures{"measure", {"loss", "accuracy", "changed"}};
    const auto table = [&](const char* experiment, const char* name, Axis rows, Axis columns) {
        std::vector<double> values;
        for (std::size_t r = 0; r < rows.labels.size(); ++r) {
            for (std::size_t c = 0; c < columns.labels.size(); ++c) {
                const double rise = 0.02 * static_cast<double>((r + 1) * (c + 1));
                values.insert(values.end(), {2.0 + rise, 0.5 - 0.1 * rise, rise});
            }
        }
        const Shape shape{rows.labels.size(), columns.labels.size(), 3};
        put(experiment, name, std::nullopt, NdArray::from<double>(shape, values),
            {std::move(rows), std::move(columns), measures});
    };
    Axis layers{"from_layer", {}};
    for (int l = what.denseFirst ? 1 : 0; l < what.layers; ++l) {
        layers.labels.push_back(std::to_string(l));
    }
    Axis chosen{"chosen", {}};
    for (int k = 1; k < what.topK; ++k) {
        chosen.labels.push_back(std::to_string(k));
    }
    Axis kept{"kept", {}};
    for (int n = what.topK; n < what.experts; n += std::max(1, what.experts / 8)) {
        kept.labels.push_back(std::to_string(n));
    }
    table("fewer_experts", "chosen", layers, chosen);
    table("fewer_experts", "kept", layers, kept);
    const Axis criteria{"criterion",
                        {"load", "weight_mass", "mean_weight", "ean_sum", "ean_mean", "reap",
                         "random_1", "random_2", "random_3"}};
    const Axis shares{"share", {"0.125", "0.25", "0.375", "0.5", "0.625", "0.75"}};
    table("pruning", "curves", criteria, shares);
    // One expert of each layer, and three of the last one.
    std::vector<std::uint32_t> removed;
    for (int l = what.denseFirst ? 1 : 0; l < what.layers; ++l) {
        removed.insert(removed.end(), {0, static_cast<std::uint32_t>(l), 2});
    }
    for (const std::uint32_t expert : {0U, 3U, 4U}) {
        removed.insert(removed.end(), {1, static_cast<std::uint32_t>(what.layers - 1), expert});
    }
    const std::vector<double> lists{2.1, 0.48, 0.1, 2.03, 0.49, 0.03};
    put("pruning", "list", std::nullopt, NdArray::from<double>({2, 3}, lists),
        {{"list", {"one-of-each", "three"}}, measures});
    put("pruning", "list_removed", std::nullopt,
        NdArray::from<std::uint32_t>({removed.size() / 3, 3}, removed),
        {{"removed", {}}, {"column", {"list", "layer", "expert"}}});
    const std::vector<double> intact{2.0, 0.5, 0.0};
    for (const char* experiment : {"fewer_experts", "pruning"}) {
        put(experiment, "intact", std::nullopt, NdArray::from<double>({3}, intact), {measures});
    }
}

/// Norms of the chosen experts' outputs, margins and flips.
void MadeSource::makeUse(const MadeSession& what, LayerId layer) {
    const auto experts = static_cast<std::uint64_t>(what.experts);
    const auto k = static_cast<std::uint64_t>(what.topK);
    std::mt19937 random(static_cast<std::uint32_t>(layer.value * 100 + 70));
    std::uniform_real_distribution<float> uniform(0.0F, 1.0F);
    NdArray norms(ElementType::F32, {what.tokens, k});
    for (float& norm : norms.values<float>()) {
        norm = 1.0F + uniform(random);
    }
    NdArray largest(ElementType::F32, {experts});
    for (float& value : largest.values<float>()) {
        value = 0.2F + uniform(random);
    }
    put("importance", "norm", layer, std::move(norms), {{"token", {}}, {"k", {}}});
    put("importance", "largest_output", layer, std::move(largest),
        {{"expert", labels(what.experts, false)}});
    NdArray margins(ElementType::F32, {what.tokens, 3});
    NdArray next(ElementType::U16, {what.tokens, 1});
    NdArray flips(ElementType::U8, {what.tokens, 4});
    for (std::uint64_t t = 0; t < what.tokens; ++t) {
        const float margin = uniform(random) * uniform(random) * 0.2F;
        margins.values<float>()[t * 3] = margin;
        margins.values<float>()[t * 3 + 1] = 4.0F * margin;
        margins.values<float>()[t * 3 + 2] =
            uniform(random) * std::log(static_cast<float>(what.experts));
        next.values<std::uint16_t>()[t] = static_cast<std::uint16_t>(t % experts);
        const std::array limits{0.001F, 0.005F, 0.02F, 0.0005F};
        for (std::uint64_t c = 0; c < limits.size(); ++c) {
            flips.values<std::uint8_t>()[t * 4 + c] = margin < limits[c] ? 1 : 0;
        }
    }
    put("router_margin", "margin", layer, std::move(margins),
        {{"token", {}}, {"measure", {"selection score", "logit", "entropy"}}});
    put("router_margin", "next_expert", layer, std::move(next), {{"token", {}}, {"value", {}}});
    put("router_margin", "flips", layer, std::move(flips),
        {{"token", {}}, {"change", {"0.01", "0.05", "0.2", "bfloat16"}}});
}

void MadeSource::makeParameters() {
    const Axis components{"component",
                          {"embedding", "attention", "router", "routed_experts", "shared_experts",
                           "dense_feed_forward", "norms", "head"}};
    const std::array<std::uint64_t, 8> total{131072000, 1342177280, 1048576, 45097156608,
                                             0,         0,          266240,  131072000};
    const std::array<std::uint64_t, 8> active{131072000, 1342177280, 1048576, 11274289152,
                                              0,         0,          266240,  131072000};
    put("parameters", "total", std::nullopt,
        NdArray::from<std::uint64_t>({8}, std::span<const std::uint64_t>(total)), {components});
    put("parameters", "active", std::nullopt,
        NdArray::from<std::uint64_t>({8}, std::span<const std::uint64_t>(active)), {components});
    Axis batches{"batch_tokens", {}};
    std::vector<double> bytes;
    for (int batch = 1; batch <= 1024; batch *= 2) {
        batches.labels.push_back(std::to_string(batch));
        bytes.push_back(90.2e9 * (1.0 - std::pow(0.75, batch)));
    }
    put("parameters", "touched_expert_bytes", std::nullopt,
        NdArray::from<double>({bytes.size()}, std::span<const double>(bytes)), {batches});
}

void MadeSource::put(const std::string& experiment, const std::string& quantity,
                     std::optional<LayerId> layer, NdArray values, std::vector<Axis> axes) {
    const session::QuantityId id{BranchId{}, experiment, quantity};
    session::QuantityInfo& info = m_infos[id];
    info.id = id;
    if (!axes.empty()) {
        info.axes = std::move(axes);
    }
    info.shape = values.shape();
    info.type = values.type();
    info.tokens = experiment == "weight_similarity" || experiment == "parameters"
                      ? 0
                      : m_head.corpus.ids.size();
    if (layer && std::find(info.layers.begin(), info.layers.end(), *layer) == info.layers.end()) {
        info.layers.push_back(*layer);
    }
    m_arrays[{id, layer ? layer->value : -1}] = std::move(values);
}

void MadeSource::remove(const std::string& experiment) {
    std::erase_if(m_infos, [&](const auto& entry) { return entry.first.experiment == experiment; });
}

const session::QuantityInfo* MadeSource::find(const session::QuantityId& id) const {
    const auto found = m_infos.find(id);
    return found == m_infos.end() ? nullptr : &found->second;
}

NdArray MadeSource::read(const session::QuantityId& id, std::optional<LayerId> layer) const {
    const auto found = m_arrays.find({id, layer ? layer->value : -1});
    if (found == m_arrays.end()) {
        throw Error(ErrorCode::BadSession, "no " + id.experiment + "/" + id.quantity);
    }
    return found->second;
}

NdArray MadeSource::readRows(const session::QuantityId& id, std::optional<LayerId> layer,
                             std::uint64_t first, std::uint64_t count) const {
    const NdArray all = read(id, layer);
    Shape shape = all.shape();
    const std::size_t row = all.bytes().size() / static_cast<std::size_t>(shape[0]);
    shape[0] = count;
    NdArray rows(all.type(), shape);
    const auto from = all.bytes().subspan(static_cast<std::size_t>(first) * row,
                                          static_cast<std::size_t>(count) * row);
    std::copy(from.begin(), from.end(), rows.bytes().begin());
    return rows;
}

}  // namespace moescope::tests
