// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/residual_streams.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

namespace moescope::engine {
namespace {

/// Rows looked at together when checking for NaN.
constexpr std::int64_t kCheckRows = 4096;

std::size_t bytesOf(const at::Tensor& tensor) {
    return static_cast<std::size_t>(tensor.numel()) *
           static_cast<std::size_t>(tensor.element_size());
}

}  // namespace

ResidualStreams::ResidualStreams(std::uint64_t tokens, const std::vector<int>& hiddenSizes,
                                 const ComputePlace& place,
                                 const std::filesystem::path& scratchFolder) {
    for (const int hiddenSize : hiddenSizes) {
        const std::vector<std::int64_t> shape{static_cast<std::int64_t>(tokens), hiddenSize};
        if (scratchFolder.empty()) {
            m_streams.push_back(at::empty(shape, place.options()));
            continue;
        }
        const std::uint64_t size = place.dtype == at::kFloat ? 4 : 2;
        m_scratch.push_back(std::make_unique<ScratchMemory>(
            scratchFolder, tokens * static_cast<std::uint64_t>(hiddenSize) * size));
        m_streams.push_back(at::from_blob(m_scratch.back()->data(), shape, place.options()));
    }
}

void ResidualStreams::save(const ResidualCheckpoint& checkpoint, int layer) const {
    std::vector<at::Tensor> plain;
    std::vector<ResidualCheckpoint::ConstStream> views;
    for (const at::Tensor& stream : m_streams) {
        plain.push_back(stream.cpu().contiguous());
        views.emplace_back(static_cast<const std::byte*>(plain.back().data_ptr()),
                           bytesOf(plain.back()));
    }
    checkpoint.save(layer, views);
}

bool ResidualStreams::load(const ResidualCheckpoint& checkpoint, int layer) {
    std::vector<at::Tensor> plain;
    std::vector<ResidualCheckpoint::Stream> views;
    for (const at::Tensor& stream : m_streams) {
        plain.push_back(stream.is_cpu() ? stream
                                        : at::empty(stream.sizes(), at::TensorOptions().dtype(
                                                                        stream.scalar_type())));
        views.emplace_back(static_cast<std::byte*>(plain.back().data_ptr()), bytesOf(plain.back()));
    }
    if (!checkpoint.load(layer, views)) {
        return false;
    }
    for (std::size_t s = 0; s < plain.size(); ++s) {
        if (!m_streams[s].is_cpu()) {
            m_streams[s].copy_(plain[s]);
        }
    }
    return true;
}

bool ResidualStreams::isFinite() const {
    const at::Tensor& stream = m_streams.front();
    for (std::int64_t first = 0; first < stream.size(0); first += kCheckRows) {
        const at::Tensor rows =
            stream.narrow(0, first, std::min(kCheckRows, stream.size(0) - first));
        // The largest magnitude is NaN when any element is.
        if (!std::isfinite(rows.abs().max().to(at::kFloat).item<float>())) {
            return false;
        }
    }
    return true;
}

}  // namespace moescope::engine
