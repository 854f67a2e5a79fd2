// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/next_token_loss.h"

#include "core/base/error.h"
#include "core/experiments/tensor_host.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace moescope::experiments {

void NextTokenLoss::begin(const text::TokenizedCorpus& corpus, std::size_t branches) {
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
}

void NextTokenLoss::keepTokens(std::size_t branch) {
    m_branchLoss[branch].assign(m_next.size(), std::numeric_limits<float>::quiet_NaN());
}

std::vector<double> NextTokenLoss::result(std::size_t branch) const {
    const Sums& sums = m_sums.at(branch + 1);
    std::vector<double> values{sums.loss, sums.correct, sums.changed,
                               static_cast<double>(sums.positions)};
    if (const auto kept = m_branchLoss.find(branch); kept != m_branchLoss.end()) {
        values.insert(values.end(), kept->second.begin(), kept->second.end());
    }
    return values;
}

void NextTokenLoss::restore(std::size_t branch, std::span<const double> result) {
    constexpr std::size_t kSums = 4;
    const auto kept = m_branchLoss.find(branch);
    if (result.size() != kSums + (kept == m_branchLoss.end() ? 0 : kept->second.size())) {
        throw Error(ErrorCode::Internal, "what was kept of a branch has another length");
    }
    m_sums.at(branch + 1) = {result[0], result[1], result[2],
                             static_cast<std::uint64_t>(result[3])};
    if (kept != m_branchLoss.end()) {
        std::transform(result.begin() + kSums, result.end(), kept->second.begin(),
                       [](double value) { return static_cast<float>(value); });
    }
}

void NextTokenLoss::consume(const engine::LogitsBlock& block) {
    const auto first = static_cast<std::size_t>(block.firstToken);
    const auto rows = static_cast<std::size_t>(block.logits.size(0));
    // The last token of a document has no next one: any id serves, it is not counted.
    std::vector<std::int64_t> wanted(m_next.begin() + static_cast<std::ptrdiff_t>(first),
                                     m_next.begin() + static_cast<std::ptrdiff_t>(first + rows));
    std::replace(wanted.begin(), wanted.end(), std::int64_t{-1}, std::int64_t{0});
    const at::Tensor ids =
        at::from_blob(wanted.data(), {static_cast<std::int64_t>(rows), 1}, at::kLong)
            .to(block.logits.device());
    const at::Tensor losses =
        toHost<float>(block.logits.logsumexp(1, true) - block.logits.gather(1, ids));
    const at::Tensor predictions = toHost<std::int64_t>(block.logits.argmax(1));
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

NextTokenLoss::Means NextTokenLoss::mean(std::optional<std::size_t> branch) const {
    const Sums& sums = m_sums[branch ? *branch + 1 : 0];
    if (sums.positions == 0) {
        constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
        return {kNaN, kNaN, branch ? kNaN : 0.0};
    }
    const auto positions = static_cast<double>(sums.positions);
    return {sums.loss / positions, sums.correct / positions, sums.changed / positions};
}

session::Quantity NextTokenLoss::intact() const {
    const Means means = mean(std::nullopt);
    return {"intact",
            {{"measure", measures()}},
            "next-token loss in nats, accuracy",
            "1",
            NdArray::from<double>({means.size()}, means)};
}

session::Quantity NextTokenLoss::table(const std::string& name, std::vector<session::Axis> axes,
                                       const std::string& longName, std::size_t first) const {
    Shape shape;
    for (const session::Axis& axis : axes) {
        shape.push_back(axis.labels.size());
    }
    std::vector<double> values;
    for (std::size_t branch = first; branch < first + elementCount(shape); ++branch) {
        const Means means = mean(branch);
        values.insert(values.end(), means.begin(), means.end());
    }
    axes.push_back({"measure", measures()});
    shape.push_back(measures().size());
    return {name, std::move(axes), longName, "1", NdArray::from<double>(shape, values)};
}

std::vector<std::string> NextTokenLoss::warnings() const {
    if (m_sums.front().positions == 0) {
        return {"no document has two tokens: there is no next token whose loss could be told"};
    }
    if (!std::isfinite(m_sums.front().loss)) {
        return {"the intact model's loss is not finite: no change of it can be told"};
    }
    return {};
}

}  // namespace moescope::experiments
