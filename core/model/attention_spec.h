// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <vector>

/// How tokens of a document look at each other, as plain data. Part of ModelSpec.
namespace moescope::model {

/// How a vector is normalised. Rms casts to the model dtype before the weight, RmsFp32 after it;
/// RmsWeightless has no weight at all.
enum class NormKind { Rms, RmsFp32, RmsPlusOne, LayerNorm, RmsWeightless };

enum class RopeStyle { HalfSplit, Interleaved };

enum class RopeScalingKind { None, Linear, Dynamic, Llama3, Yarn, LongRope };

/// Frequencies of rotary position embedding with their scaling (formulas: ARCHITECTURE.md,
/// "Sources").
struct RopeScaling {
    RopeScalingKind kind = RopeScalingKind::None;
    double factor = 1.0;
    double originalMaxPositions = 0.0;
    double lowFreqFactor = 1.0;
    double highFreqFactor = 4.0;
    double betaFast = 32.0;
    double betaSlow = 1.0;
    double mscale = 0.0;
    double mscaleAllDim = 0.0;
    std::optional<double> attentionFactor;
    bool truncate = true;
    std::vector<double> shortFactor;
    std::vector<double> longFactor;
    /// Of cosines and sines, where the factors of longrope come with multipliers of their own.
    std::optional<double> shortMultiplier;
    std::optional<double> longMultiplier;
};

struct RopeSpec {
    bool enabled = true;
    RopeStyle style = RopeStyle::HalfSplit;
    int rotaryDim = 0;  ///< the first rotaryDim elements of each head are rotated
    /// Only so many pairs turn, the others stand still (frequency 0): "proportional" RoPE.
    std::optional<int> turningPairs;
    double theta = 10000.0;
    double maxPositions = 0.0;
    RopeScaling scaling;
};

/// Norms on queries and keys: over each head, or over the whole projection before it is split.
enum class QkNorm { None, PerHead, FullProjection };

/// Latent attention (DeepSeek-V2): keys and values of all heads are made from one narrow vector per
/// token, queries from another or from the hidden state. Each head's query and key are a part
/// without position and a rotated part, whose key all heads share.
struct LatentAttention {
    int queryRank = 0;  ///< 0: queries come from the hidden state
    int keyValueRank = 0;
    int plainDim = 0;   ///< of a head's query and key, without position
    int rotaryDim = 0;  ///< of a head's query and key, rotated
    int valueDim = 0;
    double normEps = 1e-6;  ///< of the norms on the narrow vectors, whatever the model's is
};

/// Queries at position p (from 0) are multiplied by 1 + strength ln(1 + floor((p + 1) / step)).
struct QueryTemperature {
    double strength = 0.1;
    double step = 8192.0;
};

/// Grouped-query attention (multi-head when headsKv == headsQ).
struct AttentionSpec {
    int headsQ = 0;
    int headsKv = 0;
    int headDim = 0;  ///< of queries and keys; of values too but for latent attention
    std::optional<LatentAttention> latent;
    bool qkvBias = false;
    bool outputBias = false;
    QkNorm qkNorm = QkNorm::None;
    NormKind qkNormKind = NormKind::Rms;
    bool qkNormAfterRope = false;   ///< per-head norms only
    bool valueNorm = false;         ///< RMS without weight over each head of the values
    bool valueIsKey = false;        ///< values are the keys' projection, before norm and rotation
    std::optional<double> clipQkv;  ///< q, k and v are clamped to [-c, c], after any norm
    double scale = 0.0;  ///< multiplies q.k; headDim^-0.5 unless the family says otherwise
    std::optional<double> logitCap;    ///< s -> cap tanh(s / cap) of the scaled products
    std::optional<int> slidingWindow;  ///< query q sees keys k with q - k < window
    std::optional<int> chunk;          ///< query q sees keys k of its own chunk: k/chunk == q/chunk
    bool sinks = false;  ///< one logit per query head joins each softmax; its share is dropped
    /// The query projection holds, head by head, query and gate; the attention's output is
    /// multiplied by sigmoid(gate).
    bool outputGate = false;
    std::optional<QueryTemperature> temperature;
    RopeSpec rope;

    [[nodiscard]] int valueDim() const noexcept { return latent ? latent->valueDim : headDim; }
    /// How many positions, itself included, a query far into a document sees at most; nothing: all.
    [[nodiscard]] std::optional<int> reach() const noexcept {
        return slidingWindow ? slidingWindow : chunk;
    }
};

/// Gated DeltaNet (arXiv 2412.06464): a recurrence over the document in place of attention. Each
/// value head has a state [keyDim, valueDim]; queries, keys and values pass a causal convolution
/// over the last `kernel` positions. Formulas: core/engine/delta_net.h.
struct DeltaNetSpec {
    int keyHeads = 0;    ///< of queries and keys
    int valueHeads = 0;  ///< a multiple of keyHeads
    int keyDim = 0;
    int valueDim = 0;
    int kernel = 4;
    /// The projections lie key head by key head: query, key, values, gates; and likewise write
    /// strengths and decays. Else queries, keys, values follow one another, the rest is apart.
    bool packedByKeyHead = false;
    /// Value head h goes with key head h % keyHeads; else with h / (valueHeads / keyHeads).
    bool tiledKeyHeads = false;
    /// What decays are made with is stored as -exp(A), not as the logarithm A.
    bool decayRates = false;

    [[nodiscard]] int keyWidth() const noexcept { return keyHeads * keyDim; }
    [[nodiscard]] int valueWidth() const noexcept { return valueHeads * valueDim; }
    /// Channels of the convolution: queries, keys, values.
    [[nodiscard]] int channels() const noexcept { return 2 * keyWidth() + valueWidth(); }
};

}  // namespace moescope::model
