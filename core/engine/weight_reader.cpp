// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/weight_reader.h"

#include "core/base/error.h"
#include "core/checkpoint/decode.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

namespace moescope::engine {
namespace {

using checkpoint::Dtype;
using checkpoint::TensorView;

/// Elements decoded by one task: small enough to stay in the second-level cache.
constexpr std::int64_t kDecodeGrain = 1 << 16;

std::optional<at::ScalarType> torchType(Dtype dtype) {
    switch (dtype) {
        case Dtype::F32:
            return at::kFloat;
        case Dtype::BF16:
            return at::kBFloat16;
        case Dtype::F16:
            return at::kHalf;
        case Dtype::F64:
            return at::kDouble;
        default:
            return std::nullopt;
    }
}

std::vector<std::int64_t> sizes(const TensorView& tensor) {
    return {tensor.shape.begin(), tensor.shape.end()};
}

bool isAligned(const TensorView& tensor) {
    return reinterpret_cast<std::uintptr_t>(tensor.bytes.data()) % sizeOf(tensor.dtype) == 0;
}

/// The mapped bytes as a tensor. Nothing in the engine writes to weights.
at::Tensor wrap(const TensorView& tensor, at::ScalarType type) {
    return at::from_blob(const_cast<std::byte*>(tensor.bytes.data()), sizes(tensor),
                         at::TensorOptions().dtype(type));
}

template <typename Word>
std::uint64_t countExponent(std::span<const std::byte> bytes, Word mask) {
    std::uint64_t count = 0;
    const std::size_t words = bytes.size() / sizeof(Word);
    for (std::size_t i = 0; i < words; ++i) {
        Word word;
        std::memcpy(&word, bytes.data() + i * sizeof(Word), sizeof(Word));
        count += static_cast<std::uint64_t>((word & mask) == mask);
    }
    return count;
}

void decodeRange(const TensorView& tensor, at::Tensor& to, std::int64_t begin, std::int64_t end) {
    const std::size_t size = sizeOf(tensor.dtype);
    const auto count = static_cast<std::size_t>(end - begin);
    const auto from = tensor.bytes.subspan(static_cast<std::size_t>(begin) * size, count * size);
    if (to.scalar_type() == at::kFloat) {
        decodeToFloat(tensor.dtype, from, {to.data_ptr<float>() + begin, count});
        return;
    }
    auto* words = static_cast<std::uint16_t*>(to.data_ptr()) + begin;
    decodeToBfloat16(tensor.dtype, from, {words, count});
}

void requireMatrix(const TensorView& tensor) {
    if (tensor.shape.size() != 2) {
        throw Error(ErrorCode::BadShape,
                    fmt::format("{}: a matrix was expected, found {} dimensions", tensor.name,
                                tensor.shape.size()));
    }
}

}  // namespace

std::uint64_t countNonFinite(Dtype dtype, std::span<const std::byte> bytes) {
    switch (dtype) {
        case Dtype::F64:
            return countExponent<std::uint64_t>(bytes, 0x7FF0000000000000U);
        case Dtype::F32:
            return countExponent<std::uint32_t>(bytes, 0x7F800000U);
        case Dtype::F16:
            return countExponent<std::uint16_t>(bytes, 0x7C00U);
        case Dtype::BF16:
            return countExponent<std::uint16_t>(bytes, 0x7F80U);
        default:
            return 0;
    }
}

bool WeightReader::isDirect(const std::string& name) const {
    const TensorView tensor = m_checkpoint.require(name);
    return m_place.device.is_cpu() && torchType(tensor.dtype) == m_place.dtype && isAligned(tensor);
}

std::uint64_t WeightReader::storedBytes(const std::string& name) const {
    return name.empty() ? 0 : m_checkpoint.require(name).bytes.size();
}

void WeightReader::account(const TensorView& tensor) {
    bool check = false;
    {
        const std::lock_guard lock(m_mutex);
        if (m_resident.emplace(tensor.name).second) {
            m_bytesRead += tensor.bytes.size();
        }
        check = m_checked.emplace(tensor.name).second;
    }
    if (!check) {
        return;
    }
    const std::uint64_t bad = countNonFinite(tensor.dtype, tensor.bytes);
    if (bad > 0) {
        const std::lock_guard lock(m_mutex);
        m_warnings.emplace(
            tensor.name, fmt::format("{} of {} values of {} are not finite (NaN or infinity)", bad,
                                     elementCount(tensor.shape), tensor.name));
    }
}

std::string WeightReader::warningOf(const std::string& name) const {
    const std::lock_guard lock(m_mutex);
    const auto found = m_warnings.find(name);
    return found == m_warnings.end() ? std::string() : found->second;
}

at::Tensor WeightReader::decode(const TensorView& tensor, Threads threads) const {
    at::Tensor result = at::empty(sizes(tensor), at::TensorOptions().dtype(m_place.dtype));
    const std::int64_t count = result.numel();
    const auto range = [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t at = begin; at < end; at += kDecodeGrain) {
            decodeRange(tensor, result, at, std::min(end, at + kDecodeGrain));
        }
    };
    if (threads == Threads::All) {
        at::parallel_for(0, count, kDecodeGrain, range);
    } else {
        range(0, count);
    }
    return result;
}

at::Tensor WeightReader::upload(const TensorView& tensor) const {
    const auto type = torchType(tensor.dtype);
    if (type && isAligned(tensor)) {
        // The narrower stored type crosses the bus; the device converts.
        return wrap(tensor, *type).to(m_place.device).to(m_place.dtype);
    }
    return decode(tensor, Threads::All).to(m_place.device);
}

at::Tensor WeightReader::load(const std::string& name, Threads threads) {
    const TensorView tensor = m_checkpoint.require(name);
    account(tensor);
    if (!m_place.device.is_cpu()) {
        return upload(tensor);
    }
    if (torchType(tensor.dtype) == m_place.dtype && isAligned(tensor)) {
        return wrap(tensor, m_place.dtype);
    }
    return decode(tensor, threads);
}

at::Tensor WeightReader::loadFloat(const std::string& name) {
    const TensorView tensor = m_checkpoint.require(name);
    account(tensor);
    at::Tensor result = at::empty(sizes(tensor), at::TensorOptions().dtype(at::kFloat));
    decodeRange(tensor, result, 0, result.numel());
    return result.to(m_place.device);
}

Linear WeightReader::load(const model::LinearNames& names, Threads threads) {
    Linear linear;
    linear.weight = load(names.weight, threads);
    if (!names.bias.empty()) {
        linear.bias = load(names.bias, threads);
    }
    return linear;
}

FeedForward WeightReader::load(const model::FeedForwardNames& names,
                               const model::FeedForwardSpec& spec, Threads threads) {
    FeedForward result;
    result.gate = load(model::LinearNames{names.gate, names.gateBias}, threads);
    result.up = load(model::LinearNames{names.up, names.upBias}, threads);
    result.down = load(model::LinearNames{names.down, names.downBias}, threads);
    result.activation = spec.activation;
    return result;
}

at::Tensor WeightReader::loadRows(const std::string& name, std::span<const std::uint32_t> rows) {
    const TensorView tensor = m_checkpoint.require(name);
    requireMatrix(tensor);
    const std::uint64_t width = tensor.shape[1];
    const std::uint64_t rowBytes = width * sizeOf(tensor.dtype);
    at::Tensor result =
        at::empty({static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(width)},
                  at::TensorOptions().dtype(m_place.dtype));
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (rows[i] >= tensor.shape[0]) {
            throw Error(ErrorCode::BadText,
                        fmt::format("token id {} is beyond the model's vocabulary of {}: the "
                                    "tokenizer does not belong to this checkpoint",
                                    rows[i], tensor.shape[0]));
        }
        TensorView row = tensor;
        row.bytes = tensor.bytes.subspan(rows[i] * rowBytes, rowBytes);
        at::Tensor target = result.select(0, static_cast<std::int64_t>(i));
        decodeRange(row, target, 0, static_cast<std::int64_t>(width));
    }
    const std::lock_guard lock(m_mutex);
    auto& seen = m_rows[name];
    const std::size_t before = seen.size();
    seen.insert(rows.begin(), rows.end());
    m_bytesRead += (seen.size() - before) * rowBytes;
    return result;
}

void WeightReader::loadSlab(const std::string& name, bool columns, std::uint64_t first,
                            std::uint64_t count, std::span<float> to) {
    const TensorView tensor = m_checkpoint.require(name);
    requireMatrix(tensor);
    account(tensor);
    const std::size_t size = sizeOf(tensor.dtype);
    const std::uint64_t width = tensor.shape[1];
    if (!columns || count == width) {
        const auto part =
            tensor.bytes.subspan(columns ? 0 : first * width * size, to.size() * size);
        const auto total = static_cast<std::int64_t>(to.size());
        at::parallel_for(0, total, kDecodeGrain, [&](std::int64_t begin, std::int64_t end) {
            const auto from = static_cast<std::size_t>(begin);
            const auto elements = static_cast<std::size_t>(end - begin);
            decodeToFloat(tensor.dtype, part.subspan(from * size, elements * size),
                          to.subspan(from, elements));
        });
        return;
    }
    const auto rows = static_cast<std::int64_t>(tensor.shape[0]);
    const auto grain = std::max<std::int64_t>(1, kDecodeGrain / static_cast<std::int64_t>(count));
    at::parallel_for(0, rows, grain, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
            const auto r = static_cast<std::uint64_t>(row);
            decodeToFloat(tensor.dtype,
                          tensor.bytes.subspan((r * width + first) * size, count * size),
                          to.subspan(r * count, count));
        }
    });
}

void WeightReader::willNeed(const std::string& name) const {
    if (!name.empty()) {
        m_checkpoint.willNeed(m_checkpoint.require(name));
    }
}

void WeightReader::release(const std::string& name) const {
    if (name.empty()) {
        return;
    }
    m_checkpoint.dontNeed(m_checkpoint.require(name));
    const std::lock_guard lock(m_mutex);
    m_resident.erase(name);
}

}  // namespace moescope::engine
