// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/next_token_loss.h"

#include "core/base/error.h"
#include "core/experiments/tensor_host.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <tuple>

namespace moescope::experiments {
namespace {

constexpr std::size_t kMeans = std::tuple_size_v<NextTokenLoss::Means>;

/// Two losses take the room of one number of a result.
std::size_t packedSize(std::size_t tokens) {
    return (tokens + 1) / 2;
}

}  // namespace

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
    m_restored.clear();
}

void NextTokenLoss::keepTokens(std::size_t branch) {
    m_branchLoss[branch].assign(m_next.size(), std::numeric_limits<float>::quiet_NaN());
}

std::vector<double> NextTokenLoss::resultOf(const Means& means, std::span<const float> tokens) {
    std::vector<double> values(kMeans + packedSize(tokens.size()));
    std::copy(means.begin(), means.end(), values.begin());
    if (!tokens.empty()) {
        std::memcpy(&values[kMeans], tokens.data(), tokens.size_bytes());
    }
    return values;
}

std::vector<double> NextTokenLoss::result(std::size_t branch) const {
    const auto kept = m_branchLoss.find(branch);
    return resultOf(mean(branch), kept == m_branchLoss.end() ? std::span<const float>()
                                                             : std::span(kept->second));
}

std::size_t NextTokenLoss::resultSize(std::size_t branch) const {
    return kMeans + (m_branchLoss.contains(branch) ? packedSize(m_next.size()) : 0);
}

void NextTokenLoss::restore(std::size_t branch, std::span<const double> result) {
    const auto kept = m_branchLoss.find(branch);
    const bool hasTokens = result.size() > kMeans;
    if (result.size() != (hasTokens ? kMeans + packedSize(m_next.size()) : kMeans)) {
        throw Error(ErrorCode::Internal, "what was kept of a branch has another length");
    }
    std::copy_n(result.begin(), kMeans, m_restored[branch].begin());
    if (kept != m_branchLoss.end() && hasTokens) {
        std::memcpy(kept->second.data(), &result[kMeans], kept->second.size() * sizeof(float));
    } else if (kept != m_branchLoss.end()) {
        m_branchLoss.erase(kept);
    }
}

void NextTokenLoss::consume(const engine::LogitsBlock& block) {
    const auto first = static_cast<std::size_t>(block.firstToken);
    const std::size_t left = m_next.size() - std::min(m_next.size(), first);
    const std::size_t rows = std::min(static_cast<std::size_t>(block.logits.size(0)), left);
    if (rows == 0) {
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
    if (const auto known = branch ? m_restored.find(*branch) : m_restored.end();
        known != m_restored.end()) {
        return known->second;
    }
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
