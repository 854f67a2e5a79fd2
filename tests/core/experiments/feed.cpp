// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/core/experiments/feed.h"

#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/decode.h"
#include "core/engine/weight_sums.h"
#include "tests/support/paths.h"
#include "tests/support/reference_file.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <stdexcept>

namespace moescope::tests {
namespace {

using engine::Column;

template <typename T>
at::Tensor tensorOf(const std::vector<T>& values, at::IntArrayRef shape) {
    at::Tensor tensor =
        at::empty(shape, at::TensorOptions().dtype(c10::CppTypeToScalarType<T>::value));
    if (tensor.numel() != static_cast<std::int64_t>(values.size())) {
        throw std::invalid_argument("test data of the wrong size");
    }
    std::copy(values.begin(), values.end(), tensor.data_ptr<T>());
    return tensor;
}

std::vector<Column> columnsOf(int experts, int intermediateSize) {
    std::vector<Column> columns;
    for (int e = 0; e < experts; ++e) {
        columns.push_back({Column::Kind::Routed, std::to_string(e), intermediateSize});
    }
    return columns;
}

model::MoeSpec moeOf(int experts, int topK) {
    model::MoeSpec moe;
    moe.experts = experts;
    moe.topK = topK;
    return moe;
}

/// Appends float values [T, d] as one more column.
void appendColumn(LayerData& layer, Column column, const std::vector<float>& values) {
    layer.columns.push_back(std::move(column));
    layer.outputs.insert(layer.outputs.end(), values.begin(), values.end());
}

std::vector<float> randomNumbers(std::size_t count, std::mt19937& generator) {
    std::normal_distribution<float> normal;
    std::vector<float> values(count);
    std::generate(values.begin(), values.end(), [&] { return normal(generator); });
    return values;
}

std::filesystem::path modelDir(const std::string& fixture) {
    return referenceDir() / "models" / fixture;
}

std::vector<float> decoded(const checkpoint::Checkpoint& folder, const std::string& name) {
    const checkpoint::TensorView tensor = folder.require(name);
    std::vector<float> values(elementCount(tensor.shape));
    checkpoint::decodeToFloat(tensor.dtype, tensor.bytes, values);
    return values;
}

/// Adds the three matrices below `prefix` as a column.
void appendMatrices(WeightData& data, const checkpoint::Checkpoint& folder,
                    const std::string& prefix, const std::vector<std::string>& roles,
                    Column::Kind kind, const std::string& label) {
    for (std::size_t role = 0; role < roles.size(); ++role) {
        data.matrices[role].push_back(decoded(folder, prefix + roles[role] + ".weight"));
    }
    const auto neurons = data.matrices[0].back().size() / static_cast<std::size_t>(data.hiddenSize);
    data.columns.push_back({kind, label, static_cast<int>(neurons)});
}

at::Tensor stacked(const WeightData& data, std::size_t role, const std::vector<int>& columns) {
    const std::int64_t d = data.hiddenSize;
    const std::int64_t m = data.columns[static_cast<std::size_t>(columns.front())].intermediateSize;
    std::vector<at::Tensor> matrices;
    for (const int column : columns) {
        const auto& values = data.matrices[role][static_cast<std::size_t>(column)];
        matrices.push_back(role == 2 ? tensorOf(values, {d, m}) : tensorOf(values, {m, d}));
    }
    return at::stack(matrices);
}

void feedGroup(engine::WeightSummer& summer, const WeightData& data, std::size_t role,
               const std::vector<int>& columns, int slabNeurons) {
    const at::Tensor all = stacked(data, role, columns);
    const int neurons = data.columns[static_cast<std::size_t>(columns.front())].intermediateSize;
    for (int first = 0; first < neurons; first += slabNeurons) {
        const int count = std::min(slabNeurons, neurons - first);
        const at::Tensor slab = all.narrow(role == 2 ? 2 : 1, first, count).contiguous();
        summer.add({.role = static_cast<engine::Role>(role),
                    .columns = columns,
                    .firstNeuron = static_cast<std::uint64_t>(first),
                    .neurons = static_cast<std::uint64_t>(count),
                    .weights = slab});
    }
}

}  // namespace

session::Part feed(engine::DynamicProbe& probe, const LayerData& layer, std::size_t blockTokens) {
    const auto d = static_cast<std::int64_t>(layer.hiddenSize);
    const auto n = static_cast<std::int64_t>(layer.columns.size());
    const auto all = static_cast<std::int64_t>(layer.tokens());
    const model::MoeSpec moe = moeOf(layer.experts, layer.topK);
    model::ModelSpec model;
    model.layers.resize(4);
    model.layers[3].moe = moe;
    probe.begin(
        {BranchId{0}, LayerId{3}, model, moe, layer.hiddenSize, layer.columns, layer.corpus});
    const at::Tensor outputs = tensorOf(layer.outputs, {n, all, d});
    const at::Tensor norms = outputs.to(at::kDouble).norm(2, 2).t().to(at::kFloat).contiguous();
    const at::Tensor scores = tensorOf(layer.scores, {all, layer.experts});
    const at::Tensor selection =
        layer.selection.empty() ? scores : tensorOf(layer.selection, {all, layer.experts});
    const at::Tensor chosen = tensorOf(layer.chosen, {all, layer.topK});
    const at::Tensor weights = tensorOf(layer.weights, {all, layer.topK});
    for (std::int64_t first = 0; first < all; first += static_cast<std::int64_t>(blockTokens)) {
        const std::int64_t count = std::min(static_cast<std::int64_t>(blockTokens), all - first);
        const at::Tensor blockOutputs = outputs.narrow(1, first, count)
                                            .contiguous()
                                            .to(layer.wideOutputs ? at::kDouble : at::kFloat);
        const at::Tensor blockNorms = norms.narrow(0, first, count);
        const at::Tensor blockScores = scores.narrow(0, first, count);
        const at::Tensor blockSelection = selection.narrow(0, first, count);
        const at::Tensor blockChosen = chosen.narrow(0, first, count);
        // [n, k, d]
        const at::Tensor own = blockOutputs.transpose(0, 1).gather(
            1, blockChosen.unsqueeze(2).expand({count, layer.topK, d}));
        const at::Tensor ownNorms = own.to(at::kDouble).norm(2, 2).to(at::kFloat);
        const at::Tensor ownLargest = own.abs().amax(2);
        const engine::ChosenSizes sizes{ownNorms, ownLargest};
        probe.consume({.firstToken = static_cast<std::uint64_t>(first),
                       .count = static_cast<std::uint64_t>(count),
                       .input = blockOutputs[0],
                       .logits = blockScores,
                       .scores = blockScores,
                       .selection = blockSelection,
                       .chosen = blockChosen,
                       .weights = weights.narrow(0, first, count),
                       .norms = probe.needs().norms ? &blockNorms : nullptr,
                       .outputs = probe.needs().outputs ? &blockOutputs : nullptr,
                       .chosenSizes = probe.needs().chosenSizes ? &sizes : nullptr});
    }
    return probe.end();
}

session::Part feed(engine::StaticProbe& probe, const WeightData& layer, int slabNeurons) {
    const model::ModelSpec model;
    const model::MoeSpec moe = moeOf(layer.experts, 1);
    const text::TokenizedCorpus none;
    const engine::LayerContext context{BranchId{0},      LayerId{3},    model, moe,
                                       layer.hiddenSize, layer.columns, none};
    probe.check(context);
    probe.begin(context);
    if (probe.needs().router) {
        probe.consumeRouter(tensorOf(layer.router, {layer.experts, layer.hiddenSize}));
    }
    engine::WeightSummer summer(context, probe.needs(), engine::SummingMeans::Loops);
    std::vector<int> first;
    std::vector<int> rest;
    for (int column = 0; column < static_cast<int>(layer.columns.size()); ++column) {
        const bool fits = layer.columns[static_cast<std::size_t>(column)].intermediateSize ==
                          layer.columns.front().intermediateSize;
        (fits ? first : rest).push_back(column);
    }
    for (std::size_t role = 0; role < layer.matrices.size(); ++role) {
        feedGroup(summer, layer, role, first, slabNeurons);
        for (const int column : rest) {
            feedGroup(summer, layer, role, {column}, slabNeurons);
        }
    }
    return probe.end(summer.sums());
}

namespace {

class PlainNeurons final : public engine::NeuronSource {
public:
    explicit PlainNeurons(const WeightData& data) : m_data(data) {}
    [[nodiscard]] at::Tensor read(int column, engine::Role role, std::uint64_t first,
                                  std::uint64_t count) const override {
        const at::Tensor matrix = stacked(m_data, static_cast<std::size_t>(role), {column})[0];
        const at::Tensor rows = role == engine::Role::Down ? matrix.t() : matrix;
        return rows.narrow(0, static_cast<std::int64_t>(first), static_cast<std::int64_t>(count));
    }

private:
    const WeightData& m_data;
};

}  // namespace

std::unique_ptr<engine::NeuronSource> neuronsOf(const WeightData& layer) {
    return std::make_unique<PlainNeurons>(layer);
}

session::Part feed(engine::UnitProbe& probe, const WeightData& layer) {
    const model::ModelSpec model;
    const model::MoeSpec moe = moeOf(layer.experts, 1);
    const text::TokenizedCorpus none;
    const engine::LayerContext context{BranchId{0},      LayerId{3},    model, moe,
                                       layer.hiddenSize, layer.columns, none};
    probe.check(context);
    const PlainNeurons neurons(layer);
    std::vector<std::vector<double>> results;
    for (std::size_t unit = 0; unit < probe.units(context).size(); ++unit) {
        results.push_back(probe.compute(context, unit, neurons, [] {}));
    }
    return probe.assemble(context, results);
}

text::TokenizedCorpus corpusOf(const std::vector<std::size_t>& documentSizes) {
    text::TokenizedCorpus corpus;
    corpus.offsets.push_back(0);
    for (const std::size_t size : documentSizes) {
        corpus.offsets.push_back(corpus.offsets.back() + size);
    }
    corpus.ids.resize(corpus.offsets.back());
    return corpus;
}

LayerData randomLayer(int experts, int topK, int hiddenSize, std::size_t tokens, bool withBaseline,
                      unsigned seed) {
    std::mt19937 generator(seed);
    LayerData layer;
    layer.experts = experts;
    layer.topK = topK;
    layer.hiddenSize = hiddenSize;
    layer.columns = columnsOf(experts, 4);
    if (withBaseline) {
        layer.columns.push_back({Column::Kind::Baseline, "F", 4});
    }
    layer.corpus = corpusOf({1, tokens - 1});
    layer.outputs = randomNumbers(
        layer.columns.size() * tokens * static_cast<std::size_t>(hiddenSize), generator);
    layer.scores = randomNumbers(tokens * static_cast<std::size_t>(experts), generator);
    layer.weights = randomNumbers(tokens * static_cast<std::size_t>(topK), generator);
    std::uniform_int_distribution<std::int64_t> die(0, experts - 1);
    layer.chosen.resize(tokens * static_cast<std::size_t>(topK));
    std::generate(layer.chosen.begin(), layer.chosen.end(), [&] { return die(generator); });
    return layer;
}

LayerData referenceLayer(const std::string& fixture, int layer, const std::string& baseline) {
    const ReferenceFile file(modelDir(fixture) / "expected.safetensors");
    const std::string prefix = "layers." + std::to_string(layer) + ".";
    const NdArray offsets = file.array("document_offsets");
    const NdArray outputs = file.array(prefix + "expert_outputs");  // [T, E, H]
    const NdArray chosen = file.array(prefix + "chosen_experts");
    const Shape& shape = outputs.shape();
    LayerData data;
    data.experts = static_cast<int>(shape[1]);
    data.topK = static_cast<int>(chosen.shape()[1]);
    data.hiddenSize = static_cast<int>(shape[2]);
    data.columns = columnsOf(data.experts, 1);
    for (const std::int64_t offset : offsets.values<std::int64_t>()) {
        data.corpus.offsets.push_back(static_cast<std::uint64_t>(offset));
    }
    const std::uint64_t tokens = chosen.shape()[0];
    data.corpus.ids.resize(tokens);
    const auto values = outputs.values<float>();
    if (shape[0] < tokens) {
        // A lean fixture has the outputs of some tokens only: a test of outputs must not pass here.
        data.outputs.assign(shape[1] * tokens * shape[2], std::numeric_limits<float>::quiet_NaN());
    } else {
        for (std::uint64_t e = 0; e < shape[1]; ++e) {
            for (std::uint64_t t = 0; t < shape[0]; ++t) {
                const auto vector = values.subspan((t * shape[1] + e) * shape[2], shape[2]);
                data.outputs.insert(data.outputs.end(), vector.begin(), vector.end());
            }
        }
    }
    data.scores = file.floats(prefix + "scores");
    if (file.has(prefix + "selection_scores")) {
        data.selection = file.floats(prefix + "selection_scores");
    }
    data.weights = file.floats(prefix + "weights");
    for (const std::int32_t id : chosen.values<std::int32_t>()) {
        data.chosen.push_back(id);
    }
    if (!baseline.empty()) {
        const ReferenceFile dense(modelDir(baseline) / "expected.safetensors");
        const auto all = dense.floats("ffn_output");  // [L, T, H]
        const auto size = static_cast<std::ptrdiff_t>(shape[0] * shape[2]);
        appendColumn(data, {Column::Kind::Baseline, "F", 1},
                     {all.begin() + layer * size, all.begin() + (layer + 1) * size});
    }
    if (shape[0] == tokens && file.has(prefix + "shared_output")) {
        appendColumn(data, {Column::Kind::Shared, "S", 1}, file.floats(prefix + "shared_output"));
    }
    return data;
}

WeightData referenceWeights(const std::string& fixture, int layer, const std::string& baseline) {
    const checkpoint::Checkpoint folder(modelDir(fixture));
    const std::string prefix = "model.layers." + std::to_string(layer) + ".";
    const bool mixtral = folder.find(prefix + "block_sparse_moe.gate.weight").has_value();
    const std::string block = prefix + (mixtral ? "block_sparse_moe." : "mlp.");
    const std::vector<std::string> generic{"gate_proj", "up_proj", "down_proj"};
    const std::vector<std::string> roles =
        mixtral ? std::vector<std::string>{"w1", "w3", "w2"} : generic;
    const Shape router = folder.require(block + "gate.weight").shape;
    WeightData data;
    data.experts = static_cast<int>(router[0]);
    data.hiddenSize = static_cast<int>(router[1]);
    data.matrices.resize(3);
    data.router = decoded(folder, block + "gate.weight");
    for (int e = 0; e < data.experts; ++e) {
        const std::string number = std::to_string(e);
        appendMatrices(data, folder, block + "experts." + number + ".", roles, Column::Kind::Routed,
                       number);
    }
    if (!baseline.empty()) {
        const checkpoint::Checkpoint dense(modelDir(baseline));
        appendMatrices(data, dense, prefix + "mlp.", generic, Column::Kind::Baseline, "F");
    }
    if (folder.find(block + "shared_experts.gate_proj.weight")) {
        appendMatrices(data, folder, block + "shared_experts.", generic, Column::Kind::Shared, "S");
    }
    return data;
}

WeightData randomWeights(int experts, int neurons, int hiddenSize, bool withBaseline,
                         unsigned seed) {
    std::mt19937 generator(seed);
    WeightData data;
    data.experts = experts;
    data.hiddenSize = hiddenSize;
    data.columns = columnsOf(experts, neurons);
    if (withBaseline) {
        data.columns.push_back({Column::Kind::Baseline, "F", neurons});
    }
    const auto d = static_cast<std::size_t>(hiddenSize);
    data.matrices.resize(3);
    for (auto& role : data.matrices) {
        for (std::size_t c = 0; c < data.columns.size(); ++c) {
            role.push_back(randomNumbers(static_cast<std::size_t>(neurons) * d, generator));
        }
    }
    data.router = randomNumbers(static_cast<std::size_t>(experts) * d, generator);
    return data;
}

const std::vector<GoldenFixture>& goldenFixtures() {
    static const std::vector<GoldenFixture> fixtures{{"mixtral", "mistral-baseline", {0, 1, 2}},
                                                     {"deepseek", "", {1, 2}},
                                                     {"deepseek-variant", "", {2, 4}}};
    return fixtures;
}

const session::Quantity& quantity(const session::Part& part, const std::string& name) {
    const auto found = std::find_if(part.quantities.begin(), part.quantities.end(),
                                    [&](const auto& entry) { return entry.name == name; });
    if (found == part.quantities.end()) {
        throw std::out_of_range("no quantity " + name);
    }
    return *found;
}

}  // namespace moescope::tests
