// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/softmax_rows.h"

#include "core/base/instruction_sets.h"

#include <algorithm>

namespace moescope::engine {
namespace {

constexpr std::size_t kLanes = 32;  // independent results stay in registers

/// A score as the reference rounds it once it is scaled.
[[gnu::always_inline]] inline float scaled(float score, float scale) {
    return score * scale;
}
[[gnu::always_inline]] inline float scaled(Bfloat16Bits score, float scale) {
    return widen(narrow(widen(score) * scale));
}

[[gnu::always_inline]] inline void store(float& to, float value) {
    to = value;
}
[[gnu::always_inline]] inline void store(Bfloat16Bits& to, float value) {
    to = narrow(value);
}

/// Writes the scaled scores to `room` and gives the largest that is a number.
template <typename Score>
[[gnu::always_inline]] inline float scaleAll(const Score* scores, float* room, std::size_t count,
                                             float scale, float largest) {
    float lanes[kLanes];
    std::fill_n(lanes, kLanes, largest);
    const std::size_t whole = count / kLanes * kLanes;
    for (std::size_t i = 0; i < whole; i += kLanes) {
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
            const float value = scaled(scores[i + lane], scale);
            room[i + lane] = value;
            lanes[lane] = value > lanes[lane] ? value : lanes[lane];
        }
    }
    for (std::size_t i = whole; i < count; ++i) {
        room[i] = scaled(scores[i], scale);
        lanes[0] = room[i] > lanes[0] ? room[i] : lanes[0];
    }
    return *std::max_element(lanes, lanes + kLanes);
}

/// room = exp(room - largest); gives their sum.
[[gnu::always_inline]] inline double exponentials(float* room, std::size_t count, float largest) {
    float lanes[kLanes] = {};
    const std::size_t whole = count / kLanes * kLanes;
    for (std::size_t i = 0; i < whole; i += kLanes) {
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
            const float value = exponential(room[i + lane] - largest);
            room[i + lane] = value;
            lanes[lane] += value;
        }
    }
    double sum = 0.0;
    for (const float lane : lanes) {
        sum += static_cast<double>(lane);
    }
    for (std::size_t i = whole; i < count; ++i) {
        room[i] = exponential(room[i] - largest);
        sum += static_cast<double>(room[i]);
    }
    return sum;
}

template <typename Score>
[[gnu::always_inline]] inline void softmaxAll(Score* scores, const ScoreRow& row, float* room) {
    const std::size_t count = row.end - row.first;
    Score* const seen = scores + row.first;
    const float largest = scaleAll(seen, room, count, row.scale, row.sink);
    double sum = exponentials(room, count, largest);
    if (row.sink > -std::numeric_limits<float>::infinity()) {
        sum += static_cast<double>(exponential(row.sink - largest));
    }
    const auto total = static_cast<float>(sum);
    for (std::size_t i = 0; i < count; ++i) {
        store(seen[i], room[i] / total);
    }
    std::fill(scores, seen, Score{});
    std::fill(scores + row.end, scores + row.keys, Score{});
}

/// One set of loops, compiled for an instruction set.
struct Loops {
    void (*wide)(float*, const ScoreRow&, float*);
    void (*narrow)(Bfloat16Bits*, const ScoreRow&, float*);
};

constexpr Loops kPortable{
    [](float* scores, const ScoreRow& row, float* room) { softmaxAll(scores, row, room); },
    [](Bfloat16Bits* scores, const ScoreRow& row, float* room) { softmaxAll(scores, row, room); }};

MOESCOPE_TARGET_AVX2 void wideAvx2(float* scores, const ScoreRow& row, float* room) {
    softmaxAll(scores, row, room);
}
MOESCOPE_TARGET_AVX2 void narrowAvx2(Bfloat16Bits* scores, const ScoreRow& row, float* room) {
    softmaxAll(scores, row, room);
}
MOESCOPE_TARGET_AVX512 void wideAvx512(float* scores, const ScoreRow& row, float* room) {
    softmaxAll(scores, row, room);
}
MOESCOPE_TARGET_AVX512 void narrowAvx512(Bfloat16Bits* scores, const ScoreRow& row, float* room) {
    softmaxAll(scores, row, room);
}

const Loops& loops() {
    static const auto chosen =
        bestForm<Loops>(kPortable, {wideAvx2, narrowAvx2}, {wideAvx512, narrowAvx512});
    return chosen;
}

}  // namespace

void softmaxRow(float* scores, const ScoreRow& row) {
    loops().wide(scores, row, scores + row.first);  // each step reads a number before it writes it
}

void softmaxRow(Bfloat16Bits* scores, const ScoreRow& row, float* room) {
    loops().narrow(scores, row, room);
}

}  // namespace moescope::engine
