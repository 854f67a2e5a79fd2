// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/bench/random_checkpoint.h"

#include "core/base/error.h"
#include "core/base/nd_array.h"
#include "tests/support/safetensors_builder.h"
#include "tests/support/tiny_checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <fstream>
#include <random>
#include <sstream>
#include <utility>
#include <vector>

namespace moescope::bench {
namespace {

// As published in the models' config.json.
constexpr std::array kShapes{
    ModelShape{.name = "mixtral-8x7b",
               .type = "mixtral",
               .layers = 32,
               .hiddenSize = 4096,
               .headsQ = 32,
               .headsKv = 8,
               .headDim = 128,
               .vocabulary = 32000,
               .experts = 8,
               .topK = 2,
               .expertWidth = 14336,
               .ropeTheta = 1e6,
               .normEps = 1e-5},
    ModelShape{.name = "deepseekmoe-16b",
               .type = "deepseek",
               .layers = 28,
               .denseLayers = 1,
               .hiddenSize = 2048,
               .headsQ = 16,
               .headsKv = 16,
               .headDim = 128,
               .vocabulary = 102400,
               .experts = 64,
               .topK = 6,
               .expertWidth = 1408,
               .sharedExperts = 2,
               .denseWidth = 10944},
    ModelShape{.name = "qwen3-30b-a3b",
               .type = "qwen3_moe",
               .layers = 48,
               .hiddenSize = 2048,
               .headsQ = 32,
               .headsKv = 4,
               .headDim = 128,
               .vocabulary = 151936,
               .experts = 128,
               .topK = 8,
               .expertWidth = 768,
               .denseWidth = 6144,
               .ropeTheta = 1e6},
};

struct Tensor {
    std::string name;
    Shape shape;
    [[nodiscard]] std::uint64_t bytes() const { return elementCount(shape) * 2; }
};
using Tensors = std::vector<Tensor>;

std::uint64_t u(int value) {
    return static_cast<std::uint64_t>(value);
}

void addGated(Tensors& to, const ModelShape& shape, const std::string& path, int width,
              const std::array<const char*, 3>& roles) {
    to.push_back({path + roles[0] + ".weight", {u(width), u(shape.hiddenSize)}});
    to.push_back({path + roles[1] + ".weight", {u(width), u(shape.hiddenSize)}});
    to.push_back({path + roles[2] + ".weight", {u(shape.hiddenSize), u(width)}});
}

constexpr std::array kPlainRoles{"gate_proj", "up_proj", "down_proj"};
constexpr std::array kNumberedRoles{"w1", "w3", "w2"};

void addFeedForward(Tensors& to, const ModelShape& shape, int layer) {
    const std::string prefix = fmt::format("model.layers.{}.", layer);
    if (layer < shape.denseLayers) {
        addGated(to, shape, prefix + "mlp.", shape.denseWidth, kPlainRoles);
        return;
    }
    const bool isMixtral = shape.type == "mixtral";
    const std::string block = prefix + (isMixtral ? "block_sparse_moe." : "mlp.");
    to.push_back({block + "gate.weight", {u(shape.experts), u(shape.hiddenSize)}});
    for (int expert = 0; expert < shape.experts; ++expert) {
        addGated(to, shape, fmt::format("{}experts.{}.", block, expert), shape.expertWidth,
                 isMixtral ? kNumberedRoles : kPlainRoles);
    }
    if (shape.sharedExperts > 0) {
        addGated(to, shape, block + "shared_experts.", shape.sharedExperts * shape.expertWidth,
                 kPlainRoles);
    }
}

Tensors layerTensors(const ModelShape& shape, int layer) {
    Tensors tensors;
    const std::string prefix = fmt::format("model.layers.{}.", layer);
    const std::uint64_t hidden = u(shape.hiddenSize);
    tensors.push_back({prefix + "input_layernorm.weight", {hidden}});
    tensors.push_back({prefix + "post_attention_layernorm.weight", {hidden}});
    const std::string attention = prefix + "self_attn.";
    tensors.push_back({attention + "q_proj.weight", {u(shape.headsQ * shape.headDim), hidden}});
    tensors.push_back({attention + "k_proj.weight", {u(shape.headsKv * shape.headDim), hidden}});
    tensors.push_back({attention + "v_proj.weight", {u(shape.headsKv * shape.headDim), hidden}});
    tensors.push_back({attention + "o_proj.weight", {hidden, u(shape.headsQ * shape.headDim)}});
    if (shape.type == "qwen3_moe") {
        tensors.push_back({attention + "q_norm.weight", {u(shape.headDim)}});
        tensors.push_back({attention + "k_norm.weight", {u(shape.headDim)}});
    }
    addFeedForward(tensors, shape, layer);
    return tensors;
}

Tensors outerTensors(const ModelShape& shape) {
    const std::uint64_t vocabulary = u(shape.vocabulary);
    const std::uint64_t hidden = u(shape.hiddenSize);
    return {{"model.embed_tokens.weight", {vocabulary, hidden}},
            {"model.norm.weight", {hidden}},
            {"lm_head.weight", {vocabulary, hidden}}};
}

std::string configOf(const ModelShape& shape) {
    std::string text = fmt::format(
        R"({{"model_type": "{}", "vocab_size": {}, "hidden_size": {}, "num_hidden_layers": {},
"num_attention_heads": {}, "num_key_value_heads": {}, "num_experts_per_tok": {}, "rms_norm_eps": {},
"rope_theta": {}, "max_position_embeddings": 32768, "hidden_act": "silu", "torch_dtype": "bfloat16",
"tie_word_embeddings": false, "attention_bias": false)",
        shape.type, shape.vocabulary, shape.hiddenSize, shape.layers, shape.headsQ, shape.headsKv,
        shape.topK, shape.normEps, shape.ropeTheta);
    if (shape.type == "mixtral") {
        text += fmt::format(R"(, "architectures": ["MixtralForCausalLM"], "num_local_experts": {},
"intermediate_size": {}, "sliding_window": null)",
                            shape.experts, shape.expertWidth);
    } else if (shape.type == "deepseek") {
        text += fmt::format(R"(, "architectures": ["DeepseekForCausalLM"], "n_routed_experts": {},
"n_shared_experts": {}, "moe_intermediate_size": {}, "intermediate_size": {},
"first_k_dense_replace": {}, "moe_layer_freq": 1, "norm_topk_prob": false,
"scoring_func": "softmax", "rope_scaling": null)",
                            shape.experts, shape.sharedExperts, shape.expertWidth, shape.denseWidth,
                            shape.denseLayers);
    } else {
        text += fmt::format(R"(, "architectures": ["Qwen3MoeForCausalLM"], "num_experts": {},
"moe_intermediate_size": {}, "intermediate_size": {}, "head_dim": {}, "norm_topk_prob": true,
"decoder_sparse_step": 1, "mlp_only_layers": [], "use_sliding_window": false,
"sliding_window": null, "rope_scaling": null)",
                            shape.experts, shape.expertWidth, shape.denseWidth, shape.headDim);
    }
    return text + "}\n";
}

/// bfloat16 by cutting off; the sum of four uniform numbers is normal enough.
std::vector<std::uint16_t> randomBlock() {
    constexpr std::size_t kElements = std::size_t{32} << 20U;
    constexpr double kDeviation = 0.02;
    // The sum of four uniform numbers from 0 to 1 has the variance 1/3.
    constexpr double kScale = kDeviation * 1.7320508 / 65536.0;
    std::vector<std::uint16_t> block(kElements);
    std::mt19937_64 random(20260722);
    for (std::uint16_t& value : block) {
        const std::uint64_t bits = random();
        double sum = -2.0 * 65536.0;
        for (unsigned part = 0; part < 4; ++part) {
            sum += static_cast<double>((bits >> (16U * part)) & 0xFFFFU);
        }
        value = static_cast<std::uint16_t>(
            std::bit_cast<std::uint32_t>(static_cast<float>(sum * kScale)) >> 16U);
    }
    return block;
}

class Weights {
public:
    /// Appends the tensor's bytes; norms, which are vectors, are 1.
    void append(std::ofstream& file, const Tensor& tensor) {
        std::uint64_t left = elementCount(tensor.shape);
        if (tensor.shape.size() == 1) {
            constexpr std::uint16_t kOne = 0x3F80;
            const std::vector<std::uint16_t> ones(left, kOne);
            write(file, ones.data(), left);
            return;
        }
        while (left > 0) {
            const std::uint64_t count = std::min<std::uint64_t>(left, m_block.size() - m_at);
            write(file, m_block.data() + m_at, count);
            m_at = (m_at + count) % m_block.size();
            left -= count;
        }
    }

private:
    static void write(std::ofstream& file, const std::uint16_t* from, std::uint64_t count) {
        file.write(reinterpret_cast<const char*>(from), static_cast<std::streamsize>(2 * count));
    }

    std::vector<std::uint16_t> m_block = randomBlock();
    std::uint64_t m_at = 0;
};

void writeShard(const std::filesystem::path& path, const Tensors& tensors, Weights& weights) {
    tests::SafetensorsBuilder header;
    for (const Tensor& tensor : tensors) {
        header.addShape(tensor.name, checkpoint::Dtype::BF16, tensor.shape);
    }
    // Padded to whole words as the format's own library does: weights are used where they lie.
    constexpr std::size_t kWord = 8;
    std::string entries = header.header();
    entries.resize((entries.size() + kWord - 1) / kWord * kWord, ' ');
    std::ofstream file(path, std::ios::binary);
    file << tests::rawSafetensors(entries, "");
    for (const Tensor& tensor : tensors) {
        weights.append(file, tensor);
    }
    file.close();
    if (!file) {
        throw Error(ErrorCode::FileUnwritable, fmt::format("{} cannot be written", path.string()));
    }
}

std::string contentOf(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream content;
    content << file.rdbuf();
    return content.str();
}

}  // namespace

std::span<const ModelShape> modelShapes() {
    return kShapes;
}

const ModelShape& findShape(std::string_view name) {
    std::string known;
    for (const ModelShape& shape : kShapes) {
        if (shape.name == name) {
            return shape;
        }
        known += fmt::format("{}{}", known.empty() ? "" : ", ", shape.name);
    }
    throw Error(ErrorCode::Usage,
                fmt::format("no shape is called \"{}\"; there are {}", name, known));
}

void writeRandomCheckpoint(const std::filesystem::path& folder, const ModelShape& shape) {
    const std::string config = configOf(shape);
    // config.json is written last: a folder that has it is complete.
    if (contentOf(folder / "config.json") == config) {
        return;
    }
    std::filesystem::create_directories(folder);
    std::filesystem::remove(folder / "config.json");
    Weights weights;
    std::string index;
    const int shards = shape.layers + 1;
    for (int shard = 0; shard < shards; ++shard) {
        const Tensors tensors =
            shard < shape.layers ? layerTensors(shape, shard) : outerTensors(shape);
        const std::string name = fmt::format("model-{:05}-of-{:05}.safetensors", shard + 1, shards);
        for (const Tensor& tensor : tensors) {
            index += fmt::format("{}\"{}\": \"{}\"", index.empty() ? "" : ",\n", tensor.name, name);
        }
        writeShard(folder / name, tensors, weights);
    }
    tests::writeFile(folder / "model.safetensors.index.json",
                     fmt::format("{{\"metadata\": {{}}, \"weight_map\": {{{}}}}}\n", index));
    tests::writeFile(folder / "tokenizer.json", tests::tinyTokenizerJson());
    tests::writeFile(folder / "config.json", config);
}

}  // namespace moescope::bench
