// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checkpoint/gguf_model.h"

#include "core/base/error.h"
#include "core/checkpoint/decode.h"
#include "core/checkpoint/gguf_architecture.h"
#include "core/checkpoint/gguf_names.h"

#include <fmt/format.h>

#include <limits>

namespace moescope::checkpoint {
namespace {

class Translation {
public:
    explicit Translation(std::span<const GgufShard> shards)
        : m_shards(shards),
          m_where(shards.front().path.string()),
          m_architecture(ggufArchitecture(architectureName(), m_where)) {
        for (const GgufShard& shard : m_shards) {
            for (const auto& tensor : shard.header.tensors) {
                if (!m_shapes.emplace(tensor.name, tensor.shape).second) {
                    throw Error(ErrorCode::BadCheckpoint,
                                fmt::format("{}: tensor \"{}\" is in two files of the model.",
                                            shard.path.string(), tensor.name));
                }
            }
        }
    }

    GgufModel run() {
        GgufConfig config(m_shards.front().header.metadata, m_shapes, m_architecture.name);
        config.setCommon();
        if (!m_architecture.layersDiffer) {
            config.setKeyValueHeads();
        }
        config.setRopeDivisors(ropeDivisors());
        m_architecture.describe(config);
        config.refuseUnread();
        if (m_architecture.pairedRows) {
            m_headsQ = config.requireInteger("attention.head_count");
            m_headsKv = config.integer("attention.head_count_kv").value_or(m_headsQ);
        }
        m_result.configText = config.json();
        for (std::size_t file = 0; file < m_shards.size(); ++file) {
            for (const auto& tensor : m_shards[file].header.tensors) {
                add(tensor, static_cast<int>(file));
            }
        }
        return std::move(m_result);
    }

private:
    std::string_view architectureName() {
        const auto name = m_shards.front().header.metadata.text("general.architecture");
        if (!name) {
            throwDamaged(m_where, "the metadata do not say \"general.architecture\"");
        }
        return *name;
    }

    /// Llama 3 and its kin store what RoPE's frequencies are divided by as tensors.
    [[nodiscard]] GgufRopeDivisors ropeDivisors() const {
        GgufRopeDivisors result;
        for (const GgufShard& shard : m_shards) {
            for (const auto& tensor : shard.header.tensors) {
                if (tensor.name == "rope_freqs.weight") {
                    result.always = floats(shard, tensor);
                } else if (tensor.name == "rope_factors_short.weight") {
                    result.small = floats(shard, tensor);
                } else if (tensor.name == "rope_factors_long.weight") {
                    result.large = floats(shard, tensor);
                }
            }
        }
        return result;
    }

    static std::vector<double> floats(const GgufShard& shard, const gguf::TensorInfo& tensor) {
        constexpr std::uint64_t kMost = 1 << 16;
        const std::uint64_t count = elementCount(tensor.shape);
        if (tensor.type->name != "F32" || count > kMost || tensor.end > shard.bytes.size()) {
            throwDamaged(shard.path.string(),
                         fmt::format("tensor \"{}\" holds no list of factors", tensor.name));
        }
        std::vector<float> values(count);
        decodeToFloat(Dtype::F32, shard.bytes.subspan(tensor.begin, tensor.end - tensor.begin),
                      values);
        return {values.begin(), values.end()};
    }

    [[nodiscard]] static Dtype dtypeOf(const gguf::TensorInfo& tensor, const GgufShard& shard) {
        const auto dtype = dtypeFromGguf(tensor.type->name);
        if (!dtype) {
            throw Error(ErrorCode::Unsupported,
                        fmt::format("{}: tensor \"{}\" is stored as {}, which Moescope cannot "
                                    "decode. Get the model as Q4_K_M, Q8_0, BF16 or any other of "
                                    "the types F32, F16, BF16, Q8_0, Q4_0 to Q5_1, Q2_K to Q6_K, "
                                    "IQ4_NL, IQ4_XS and MXFP4.",
                                    shard.path.string(), tensor.name, tensor.type->name));
        }
        return *dtype;
    }

    void add(const gguf::TensorInfo& tensor, int file) {
        const GgufShard& shard = m_shards[static_cast<std::size_t>(file)];
        const auto name = hubName(tensor.name, m_architecture);
        if (name && name->name.empty()) {
            return;
        }
        GgufTensor result{.stored = {.name = name ? name->name : std::string(tensor.name),
                                     .dtype = dtypeOf(tensor, shard),
                                     .shape = tensor.shape,
                                     .begin = tensor.begin,
                                     .end = tensor.end},
                          .file = file};
        if (name && name->stacked) {
            addExperts(result, name->upper, shard);
            return;
        }
        if (name && name->row && tensor.shape.size() == 1) {
            result.stored.shape.insert(result.stored.shape.begin(), 1);
        } else if (name && name->perChannel && tensor.shape.size() == 2) {
            result.stored.shape.insert(result.stored.shape.begin() + 1, 1);
        }
        if (m_architecture.pairedRows && name && (name->query || name->key)) {
            result.interleavedHeads =
                pairedHeads(tensor, name->query ? m_headsQ : m_headsKv, shard);
        }
        m_result.tensors.push_back(std::move(result));
    }

    static std::uint32_t pairedHeads(const gguf::TensorInfo& tensor, std::int64_t heads,
                                     const GgufShard& shard) {
        if (heads < 1 || heads > std::numeric_limits<std::int32_t>::max() ||
            tensor.shape.front() % (2 * static_cast<std::uint64_t>(heads)) != 0) {
            throwDamaged(shard.path.string(),
                         fmt::format("tensor \"{}\" of {} rows does not fit {} heads", tensor.name,
                                     tensor.shape.front(), heads));
        }
        return static_cast<std::uint32_t>(heads);
    }

    /// One entry per expert of a tensor [experts, ...], or two where it holds another map too.
    void addExperts(const GgufTensor& stacked, const std::string& upper, const GgufShard& shard) {
        constexpr std::uint64_t kMostExperts = 1 << 16;
        constexpr std::uint64_t kMostTensors = 1 << 20;
        const StoredTensor& whole = stacked.stored;
        const std::uint64_t count = whole.shape.size() > 1 ? whole.shape.front() : 0;
        if (count < 1 || count > kMostExperts || whole.begin == whole.end ||
            m_result.tensors.size() > kMostTensors) {
            throwDamaged(shard.path.string(),
                         fmt::format("tensor \"{}\" does not stack experts", whole.name));
        }
        const std::uint64_t bytes = (whole.end - whole.begin) / count;
        for (std::uint64_t expert = 0; expert < count; ++expert) {
            GgufTensor one = stacked;
            one.stored.name = numbered(whole.name, expert);
            one.stored.shape.erase(one.stored.shape.begin());
            one.stored.begin = whole.begin + expert * bytes;
            one.stored.end = one.stored.begin + bytes;
            if (upper.empty()) {
                m_result.tensors.push_back(std::move(one));
            } else {
                addHalves(one, numbered(upper, expert), shard);
            }
        }
    }

    static std::string numbered(std::string name, std::uint64_t number) {
        return name.replace(name.find("{}"), 2, std::to_string(number));
    }

    /// Gate in the first half of the rows, up in the second.
    void addHalves(GgufTensor lower, const std::string& upperName, const GgufShard& shard) {
        StoredTensor& stored = lower.stored;
        if (stored.shape.front() % 2 != 0) {
            throwDamaged(shard.path.string(),
                         fmt::format("\"{}\" and \"{}\" share an odd number of rows", stored.name,
                                     upperName));
        }
        stored.shape.front() /= 2;
        GgufTensor upper = lower;
        stored.end = stored.begin + (stored.end - stored.begin) / 2;
        upper.stored.name = upperName;
        upper.stored.begin = stored.end;
        m_result.tensors.push_back(std::move(lower));
        m_result.tensors.push_back(std::move(upper));
    }

    std::span<const GgufShard> m_shards;
    std::string m_where;
    const GgufArchitecture& m_architecture;
    GgufShapes m_shapes;
    std::int64_t m_headsQ = 0, m_headsKv = 0;  ///< where rows are paired
    GgufModel m_result;
};

}  // namespace

GgufModel translateGguf(std::span<const GgufShard> shards) {
    return Translation(shards).run();
}

}  // namespace moescope::checkpoint
