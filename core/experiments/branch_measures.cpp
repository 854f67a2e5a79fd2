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

/// A loss and an id take the room of one number of a result.
static_assert(sizeof(float) + sizeof(text::TokenId) == sizeof(double));

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
    m_intact = noTokens();
    m_kept.clear();
    m_restored.clear();
}

BranchMeasures::Tokens BranchMeasures::noTokens() const {
    return {std::vector<float>(m_next.size(), std::numeric_limits<float>::quiet_NaN()),
            std::vector<text::TokenId>(m_next.size())};
}

void BranchMeasures::keepTokens(std::size_t branch) {
    m_kept[branch] = noTokens();
}

BranchMeasures::TokenRows BranchMeasures::tokens(std::optional<std::size_t> branch) const {
    const Tokens& tokens = branch ? m_kept.at(*branch) : m_intact;
    return {tokens.loss, tokens.predicted};
}

std::vector<double> BranchMeasures::resultOf(std::span<const double> means,
                                             std::span<const double> choices,
                                             const TokenRows& tokens) {
    std::vector<double> values(means.begin(), means.end());
    values.insert(values.end(), choices.begin(), choices.end());
    const std::size_t lead = values.size();
    values.resize(lead + tokens.loss.size());
    if (!tokens.loss.empty()) {
        auto* const packed = reinterpret_cast<std::byte*>(&values[lead]);
        std::memcpy(packed, tokens.loss.data(), tokens.loss.size_bytes());
        std::memcpy(packed + tokens.loss.size_bytes(), tokens.predicted.data(),
                    tokens.predicted.size_bytes());
    }
    return values;
}

std::size_t BranchMeasures::leadSize() const {
    return kMeans + (m_choices.empty() ? 0 : ChoiceScores::measures().size());
}

std::vector<double> BranchMeasures::result(std::size_t branch) const {
    const Means means = mean(branch);
    const ChoiceScores::Accuracies accuracies = choices(branch);
    return resultOf(means, m_choices.empty() ? std::span<const double>() : std::span(accuracies),
                    hasTokens(branch) ? tokens(branch) : TokenRows());
}

std::size_t BranchMeasures::resultSize(std::size_t branch) const {
    return leadSize() + (hasTokens(branch) ? m_next.size() : 0);
}

void BranchMeasures::restore(std::size_t branch, std::span<const double> result) {
    const auto kept = m_kept.find(branch);
    const std::size_t lead = leadSize();
    const bool withTokens = result.size() > lead;
    if (result.size() != (withTokens ? lead + m_next.size() : lead)) {
        throw Error(ErrorCode::Internal, "what was kept of a branch has another length");
    }
    Restored& restored = m_restored[branch];
    std::copy_n(result.begin(), kMeans, restored.means.begin());
    std::copy(result.begin() + kMeans, result.begin() + static_cast<std::ptrdiff_t>(lead),
              restored.choices.begin());
    if (kept == m_kept.end()) {
        return;
    }
    if (!withTokens) {
        m_kept.erase(kept);
        return;
    }
    Tokens& tokens = kept->second;
    const std::span<const std::byte> packed = std::as_bytes(result.subspan(lead));
    const std::size_t lossBytes = tokens.loss.size() * sizeof(float);
    std::memcpy(tokens.loss.data(), packed.data(), lossBytes);
    std::memcpy(tokens.predicted.data(), packed.data() + lossBytes, packed.size() - lossBytes);
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
    const auto kept = block.branch ? m_kept.find(*block.branch) : m_kept.end();
    Tokens* const own = !block.branch ? &m_intact : kept != m_kept.end() ? &kept->second : nullptr;
    for (std::size_t row = 0; row < rows; ++row) {
        const std::size_t token = first + row;
        const auto prediction =
            static_cast<text::TokenId>(elements<std::int64_t>(predictions)[row]);
        if (own != nullptr) {
            own->predicted[token] = prediction;
        }
        if (m_next[token] < 0) {
            continue;
        }
        const float loss = elements<float>(losses)[row];
        ++sums.positions;
        sums.loss += static_cast<double>(loss);
        sums.correct += std::int64_t{prediction} == m_next[token] ? 1.0 : 0.0;
        sums.changed += prediction != m_intact.predicted[token] ? 1.0 : 0.0;
        if (own != nullptr) {
            own->loss[token] = loss;
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
