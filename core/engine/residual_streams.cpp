// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/residual_streams.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace moescope::engine {
namespace {

/// Rows looked at together when checking for NaN.
constexpr std::int64_t kCheckRows = 4096;

std::size_t bytesOf(const at::Tensor& tensor) {
    return static_cast<std::size_t>(tensor.numel()) *
           static_cast<std::size_t>(tensor.element_size());
}

/// The largest magnitude, NaN when any element is: what is asked for is one number, whatever the
/// length.
at::Tensor largestOf(const at::Tensor& stream) {
    at::Tensor largest = at::zeros({}, stream.options());
    for (std::int64_t first = 0; first < stream.size(0); first += kCheckRows) {
        const at::Tensor rows =
            stream.narrow(0, first, std::min(kCheckRows, stream.size(0) - first));
        largest = at::maximum(largest, rows.abs().max());
    }
    return largest;
}

}  // namespace

ResidualStreams::ResidualStreams(Setup setup, const std::filesystem::path& scratchFolder)
    : m_setup(std::move(setup)), m_streams(m_setup.hiddenSizes.size()) {
    const auto tokens = tokensOfParts(m_setup.stretches, m_setup.devices.size());
    m_tokens =
        static_cast<std::int64_t>(std::accumulate(tokens.begin(), tokens.end(), std::uint64_t{0}));
    const std::uint64_t size = c10::elementSize(m_setup.dtype);
    for (std::size_t model = 0; model < m_streams.size(); ++model) {
        const std::int64_t width = m_setup.hiddenSizes[model];
        for (std::size_t part = 0; part < tokens.size(); ++part) {
            const std::vector<std::int64_t> shape{static_cast<std::int64_t>(tokens[part]), width};
            const auto options =
                at::TensorOptions().dtype(m_setup.dtype).device(m_setup.devices[part]);
            if (scratchFolder.empty()) {
                m_streams[model].push_back(at::empty(shape, options));
                continue;
            }
            m_scratch.push_back(std::make_unique<ScratchMemory>(
                scratchFolder, tokens[part] * static_cast<std::uint64_t>(width) * size));
            m_streams[model].push_back(at::from_blob(m_scratch.back()->data(), shape, options));
        }
    }
}

bool ResidualStreams::isWhole(std::size_t model) const {
    return m_streams[model].size() == 1 && m_streams[model].front().is_cpu();
}

template <typename Visit>
void ResidualStreams::forStretches(std::size_t model, const at::Tensor& whole, Visit visit) const {
    std::int64_t at = 0;
    for (const Stretch& stretch : m_setup.stretches) {
        const auto count = static_cast<std::int64_t>(stretch.tokens);
        const at::Tensor part = m_streams[model][stretch.part].narrow(
            0, static_cast<std::int64_t>(stretch.firstRow), count);
        visit(whole.narrow(0, at, count), part);
        at += count;
    }
}

void ResidualStreams::save(const ResidualCheckpoint& checkpoint, int layer) const {
    std::vector<at::Tensor> plain;
    std::vector<ResidualCheckpoint::ConstStream> views;
    for (std::size_t model = 0; model < m_streams.size(); ++model) {
        if (isWhole(model)) {
            plain.push_back(m_streams[model].front().contiguous());
        } else {
            plain.push_back(at::empty({m_tokens, m_setup.hiddenSizes[model]}, m_setup.dtype));
            forStretches(model, plain.back(), [](const at::Tensor& whole, const at::Tensor& part) {
                whole.copy_(part);
            });
        }
        views.emplace_back(static_cast<const std::byte*>(plain.back().data_ptr()),
                           bytesOf(plain.back()));
    }
    checkpoint.save(layer, views);
}

bool ResidualStreams::load(const ResidualCheckpoint& checkpoint, int layer) {
    std::vector<at::Tensor> plain;
    std::vector<ResidualCheckpoint::Stream> views;
    for (std::size_t model = 0; model < m_streams.size(); ++model) {
        plain.push_back(isWhole(model)
                            ? m_streams[model].front()
                            : at::empty({m_tokens, m_setup.hiddenSizes[model]}, m_setup.dtype));
        views.emplace_back(static_cast<std::byte*>(plain.back().data_ptr()), bytesOf(plain.back()));
    }
    if (!checkpoint.load(layer, views)) {
        return false;
    }
    for (std::size_t model = 0; model < m_streams.size(); ++model) {
        if (!isWhole(model)) {
            forStretches(model, plain[model], [](const at::Tensor& whole, const at::Tensor& part) {
                part.copy_(whole);
            });
        }
    }
    return true;
}

bool ResidualStreams::isFinite() const {
    return std::all_of(m_streams.front().begin(), m_streams.front().end(),
                       [](const at::Tensor& stream) {
                           return std::isfinite(largestOf(stream).to(at::kFloat).item<float>());
                       });
}

}  // namespace moescope::engine
