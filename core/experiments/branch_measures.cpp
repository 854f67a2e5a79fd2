// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/branch_measures.h"

#include "core/base/error.h"
#include "core/experiments/tensor_host.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <tuple>
#include <utility>

namespace moescope::experiments {
namespace {

constexpr std::size_t kMeans = std::tuple_size_v<BranchMeasures::Means>;

/// Two losses take the room of one number of a result.
std::size_t packedSize(std::size_t tokens) {
    return (tokens + 1) / 2;
}

}  // namespace

void BranchMeasures::begin(const engine::ModelContext& model, std::size_t branches) {
    const text::TokenizedCorpus& corpus = model.corpus;
    m_choices.begin(model.choices == nullptr ? text::TokenizedChoices() : *model.choices,
                    corpus.ids.size(), branches);
    m_sums.assign(branches + 1, {});
    const std::size_t tokens = corpus.ids.size();
    m_next.assign(tokens, -1);
    for (std::size_t d = 0; d < corpus.documentCount(); ++d) {
        for (std::uint64_t t = corpus.offsets[d]; t + 1 < corpus.offsets[d + 1]; ++t) {
            m_next[t] = static_cast<std::int64_t>(corpus.ids[t + 1]);
        }
    }
    m_predicted.assign(tokens, -1);
    m_tokenLoss.assign(tokens, std::numeric_limits<float>::quiet_NaN());
    m_branchLoss.clear();
    m_restored.clear();
}

void BranchMeasures::keepTokens(std::size_t branch) {
    m_branchLoss[branch].assign(m_next.size(), std::numeric_limits<float>::quiet_NaN());
}

std::vector<double> BranchMeasures::resultOf(std::span<const double> means,
                                             std::span<const double> choices,
                                             std::span<const float> tokens) {
    std::vector<double> values(means.begin(), means.end());
    values.insert(values.end(), choices.begin(), choices.end());
    const std::size_t lead = values.size();
    values.resize(lead + packedSize(tokens.size()));
    if (!tokens.empty()) {
        std::memcpy(&values[lead], tokens.data(), tokens.size_bytes());
    }
    return values;
}

std::size_t BranchMeasures::leadSize() const {
    return kMeans + (m_choices.empty() ? 0 : ChoiceScores::measures().size());
}

std::vector<double> BranchMeasures::result(std::size_t branch) const {
    const auto kept = m_branchLoss.find(branch);
    const Means means = mean(branch);
    const ChoiceScores::Accuracies accuracies = choices(branch);
    return resultOf(
        means, m_choices.empty() ? std::span<const double>() : std::span(accuracies),
        kept == m_branchLoss.end() ? std::span<const float>() : std::span(kept->second));
}

std::size_t BranchMeasures::resultSize(std::size_t branch) const {
    return leadSize() + (m_branchLoss.contains(branch) ? packedSize(m_next.size()) : 0);
}

void BranchMeasures::restore(std::size_t branch, std::span<const double> result) {
    const auto kept = m_branchLoss.find(branch);
    const std::size_t lead = leadSize();
    const bool hasTokens = result.size() > lead;
    if (result.size() != (hasTokens ? lead + packedSize(m_next.size()) : lead)) {
        throw Error(ErrorCode::Internal, "what was kept of a branch has another length");
    }
    Restored& restored = m_restored[branch];
    std::copy_n(result.begin(), kMeans, restored.means.begin());
    std::copy(result.begin() + kMeans, result.begin() + static_cast<std::ptrdiff_t>(lead),
              restored.choices.begin());
    if (kept != m_branchLoss.end() && hasTokens) {
        std::memcpy(kept->second.data(), &result[lead], kept->second.size() * sizeof(float));
    } else if (kept != m_branchLoss.end()) {
        m_branchLoss.erase(kept);
    }
}

ChoiceScores::Accuracies BranchMeasures::choices(std::optional<std::size_t> branch) const {
    const auto known = branch ? m_restored.find(*branch) : m_restored.end();
    return known == m_restored.end() ? m_choices.accuracies(branch) : known->second.choices;
}

void BranchMeasures::consume(const engine::LogitsBlock& block) {
    const auto first = static_cast<std::size_t>(block.firstToken);
    const std::size_t left = m_next.size() - std::min(m_next.size(), first);
    const std::size_t rows = std::min(static_cast<std::size_t>(block.logits.size(0)), left);
    if (rows == 0) {
        m_choices.consume(block);
        return;
    }
    const at::Tensor logits = block.logits.narrow(0, 0, static_cast<std::int64_t>(rows));
    // The last token of a document has no next one: any id serves, it is not counted.
    std::vector<std::int64_t> wanted(m_next.begin() + static_cast<std::ptrdiff_t>(first),
                                     m_next.begin() + static_cast<std::ptrdiff_t>(first + rows));
    std::replace(wanted.begin(), wanted.end(), std::int64_t{-1}, std::int64_t{0});
    const at::Tensor ids =
        at::from_blob(wanted.data(), {static_cast<std::int64_t>(rows), 1}, at::kLong)
            .to(logits.device());
    const at::Tensor losses = toHost<float>(logits.logsumexp(1, true) - logits.gather(1, ids));
    const at::Tensor predictions = toHost<std::int64_t>(logits.argmax(1));
    m_choices.consume(block);  // after all that needs a device's memory, which may be asked again
    Sums& sums = m_sums[block.branch ? *block.branch + 1 : 0];
    const auto kept = block.branch ? m_branchLoss.find(*block.branch) : m_branchLoss.end();
    for (std::size_t row = 0; row < rows; ++row) {
        const std::size_t token = first + row;
        const std::int64_t prediction = elements<std::int64_t>(predictions)[row];
        if (!block.branch) {
            m_predicted[token] = prediction;
        }
        if (m_next[token] < 0) {
            continue;
        }
        const float loss = elements<float>(losses)[row];
        ++sums.positions;
        sums.loss += static_cast<double>(loss);
        sums.correct += prediction == m_next[token] ? 1.0 : 0.0;
        sums.changed += prediction != m_predicted[token] ? 1.0 : 0.0;
        if (!block.branch) {
            m_tokenLoss[token] = loss;
        } else if (kept != m_branchLoss.end()) {
            kept->second[token] = loss;
        }
    }
}

BranchMeasures::Means BranchMeasures::mean(std::optional<std::size_t> branch) const {
    if (const auto known = branch ? m_restored.find(*branch) : m_restored.end();
        known != m_restored.end()) {
        return known->second.means;
    }
    const Sums& sums = m_sums[branch ? *branch + 1 : 0];
    if (sums.positions == 0) {
        constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
        return {kNaN, kNaN, branch ? kNaN : 0.0};
    }
    const auto positions = static_cast<double>(sums.positions);
    return {sums.loss / positions, sums.correct / positions, sums.changed / positions};
}

void BranchMeasures::addIntact(session::Part& part) const {
    const Means means = mean(std::nullopt);
    part.quantities.push_back({"intact",
                               {{"measure", measures()}},
                               "next-token loss in nats, accuracy",
                               "1",
                               NdArray::from<double>({means.size()}, means)});
    if (m_choices.empty()) {
        return;
    }
    const ChoiceScores::Accuracies accuracies = choices(std::nullopt);
    part.quantities.push_back({"intact_choices",
                               {{"choice_measure", ChoiceScores::measures()}},
                               "share of questions answered rightly",
                               "1",
                               NdArray::from<double>({accuracies.size()}, accuracies)});
    for (session::Quantity& quantity : m_choices.intact()) {
        part.quantities.push_back(std::move(quantity));
    }
}

namespace {

/// A table of rows of numbers, NaN for cells that are not there.
template <typename RowOf>
session::Quantity tableOf(const std::string& name, std::vector<session::Axis> axes,
                          session::Axis last, const std::string& longName,
                          const BranchMeasures::Cells& cells, const RowOf& rowOf) {
    Shape shape;
    for (const session::Axis& axis : axes) {
        shape.push_back(axis.labels.size());
    }
    shape.push_back(last.labels.size());
    std::vector<double> values;
    values.reserve(cells.size() * last.labels.size());
    for (const std::optional<std::size_t>& cell : cells) {
        auto row = rowOf(cell.value_or(0));
        if (!cell) {
            row.fill(std::numeric_limits<double>::quiet_NaN());
        }
        values.insert(values.end(), row.begin(), row.end());
    }
    axes.push_back(std::move(last));
    return {name, std::move(axes), longName, "1", NdArray::from<double>(shape, values)};
}

}  // namespace

void BranchMeasures::addTable(const std::string& name, const std::vector<session::Axis>& axes,
                              const std::string& longName, const Cells& cells,
                              session::Part& part) const {
    part.quantities.push_back(tableOf(name, axes, {"measure", measures()}, longName, cells,
                                      [this](std::size_t branch) { return mean(branch); }));
    if (!m_choices.empty()) {
        part.quantities.push_back(tableOf(name + "_choices", axes,
                                          {"choice_measure", ChoiceScores::measures()},
                                          "share of questions answered rightly, " + longName, cells,
                                          [this](std::size_t branch) { return choices(branch); }));
    }
}

void BranchMeasures::addTable(const std::string& name, const std::vector<session::Axis>& axes,
                              const std::string& longName, std::size_t first,
                              session::Part& part) const {
    std::size_t count = 1;
    for (const session::Axis& axis : axes) {
        count *= axis.labels.size();
    }
    Cells cells;
    for (std::size_t branch = first; branch < first + count; ++branch) {
        cells.emplace_back(branch);
    }
    addTable(name, axes, longName, cells, part);
}

std::vector<std::string> BranchMeasures::warnings() const {
    if (m_sums.front().positions == 0) {
        return {"no document has two tokens: there is no next token whose loss could be told"};
    }
    if (!std::isfinite(m_sums.front().loss)) {
        return {"the intact model's loss is not finite: no change of it can be told"};
    }
    return {};
}

}  // namespace moescope::experiments
