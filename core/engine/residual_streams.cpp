// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/residual_streams.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
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

std::uint64_t ResidualStreams::bytes() const {
    std::uint64_t sum = 0;
    for (const std::vector<at::Tensor>& parts : m_streams) {
        for (const at::Tensor& part : parts) {
            sum += bytesOf(part);
        }
    }
    return sum;
}

template <typename Visit>
void ResidualStreams::forRows(std::size_t model, Visit visit) const {
    const std::uint64_t rowBytes =
        static_cast<std::uint64_t>(m_setup.hiddenSizes[model]) * c10::elementSize(m_setup.dtype);
    const std::uint64_t step =
        std::max<std::uint64_t>(1, kCopyBytes / std::max<std::uint64_t>(rowBytes, 1));
    for (const Stretch& stretch : m_setup.stretches) {
        for (std::uint64_t row = 0; row < stretch.tokens; row += step) {
            visit(m_streams[model][stretch.part].narrow(
                0, static_cast<std::int64_t>(stretch.firstRow + row),
                static_cast<std::int64_t>(std::min(step, stretch.tokens - row))));
        }
    }
}

void ResidualStreams::save(const ResidualCheckpoint& checkpoint, int layer) const {
    checkpoint.save(layer, m_streams.size(), bytes(), [&](const ResidualCheckpoint::Put& put) {
        for (std::size_t model = 0; model < m_streams.size(); ++model) {
            forRows(model, [&](const at::Tensor& rows) {
                const at::Tensor here = rows.cpu();
                put({static_cast<const std::byte*>(here.data_ptr()), bytesOf(here)});
            });
        }
    });
}

bool ResidualStreams::load(const ResidualCheckpoint& checkpoint, int layer) {
    return checkpoint.load(
        layer, m_streams.size(), bytes(), [&](const ResidualCheckpoint::Take& take) {
            for (std::size_t model = 0; model < m_streams.size(); ++model) {
                forRows(model, [&](const at::Tensor& rows) {
                    const bool isHere = rows.is_cpu();
                    const at::Tensor here =
                        isHere ? rows : at::empty(rows.sizes(), rows.options().device(at::kCPU));
                    take({static_cast<std::byte*>(here.data_ptr()), bytesOf(here)});
                    if (!isHere) {
                        rows.copy_(here);
                    }
                });
            }
        });
}

bool ResidualStreams::isFinite() const {
    return std::all_of(m_streams.front().begin(), m_streams.front().end(),
                       [](const at::Tensor& stream) {
                           return std::isfinite(largestOf(stream).to(at::kFloat).item<float>());
                       });
}

}  // namespace moescope::engine
