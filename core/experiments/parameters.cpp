// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/parameters.h"

#include "core/checkpoint/logical_tensor.h"
#include "core/model/parameters.h"

#include <vector>

namespace moescope::experiments {
namespace {

session::Quantity components(const std::string& name, const std::string& longName,
                             const model::ComponentCounts& counts) {
    std::vector<std::string> labels;
    for (const model::Component component : model::kComponents) {
        labels.emplace_back(model::name(component));
    }
    session::Quantity quantity;
    quantity.name = name;
    quantity.axes = {{"component", labels}};
    quantity.longName = longName;
    quantity.units = "count";
    quantity.values = NdArray::from<std::uint64_t>({counts.size()}, counts);
    return quantity;
}

/// As the checkpoint stores the first routed expert; 0 without one.
double bytesPerExpertWeight(const engine::ModelContext& model) {
    for (const model::LayerSpec& layer : model.model.layers) {
        if (!layer.names.experts.empty()) {
            const checkpoint::LogicalTensor tensor(model.checkpoint,
                                                   layer.names.experts.front().gate);
            return static_cast<double>(tensor.storedBytes()) /
                   static_cast<double>(tensor.elements());
        }
    }
    return 0.0;
}

/// A curve over powers of two, 1 to 2^last.
template <typename Function>
session::Quantity overPowersOfTwo(const std::string& name, const std::string& axis,
                                  const std::string& longName, const std::string& units,
                                  unsigned last, const Function& function) {
    std::vector<std::string> labels;
    std::vector<double> values;
    for (unsigned power = 0; power <= last; ++power) {
        const std::uint64_t x = std::uint64_t{1} << power;
        labels.push_back(std::to_string(x));
        values.push_back(function(x));
    }
    session::Quantity quantity;
    quantity.name = name;
    quantity.axes = {{axis, labels}};
    quantity.longName = longName;
    quantity.units = units;
    quantity.values = NdArray::from<double>({values.size()}, values);
    return quantity;
}

class Parameters final : public engine::ModelProbe {
public:
    [[nodiscard]] std::string_view experiment() const override { return "parameters"; }

    [[nodiscard]] std::optional<session::Part> finishModel(const engine::ModelContext& model,
                                                           const engine::PartSource&) override {
        const model::ParameterAccount account = model::countParameters(model.model);
        const double bytesPerWeight = bytesPerExpertWeight(model);
        constexpr unsigned kLargestBatch = 12;    // 4096 tokens
        constexpr unsigned kLargestContext = 17;  // 131072 tokens
        session::Part part;
        part.quantities.push_back(components("total", "parameters", account.total));
        part.quantities.push_back(
            components("active", "parameters active per token", account.active));
        part.quantities.push_back(overPowersOfTwo(
            "touched_expert_bytes", "batch_tokens", "expert weights touched, uniform routing",
            "byte", kLargestBatch, [&](std::uint64_t batch) {
                return model::expertBytesTouched(model.model, batch, bytesPerWeight);
            }));
        part.quantities.push_back(overPowersOfTwo(
            "operations_per_token", "context_tokens", "floating-point operations per token",
            "count", kLargestContext, [&](std::uint64_t context) {
                return static_cast<double>(model::operationsPerToken(model.model, context));
            }));
        return part;
    }
};

}  // namespace

std::unique_ptr<engine::ModelProbe> makeParameters() {
    return std::make_unique<Parameters>();
}

}  // namespace moescope::experiments
