// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/element_loops.h"

#include "core/base/instruction_sets.h"
#include "core/engine/element_math.h"

#include <cmath>

namespace moescope::engine {
namespace {

[[gnu::always_inline]] inline void siluTimesAll(Bfloat16Bits* gate, const Bfloat16Bits* up,
                                                std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        const float x = widen(gate[i]);
        const float activated = widen(narrow(x / (1.0F + exponential(-x))));
        gate[i] = narrow(activated * widen(up[i]));
    }
}

[[gnu::always_inline]] inline double squaresOfAll(const Bfloat16Bits* row, std::size_t count) {
    constexpr std::size_t kLanes = 32;  // independent sums stay in registers
    float sums[kLanes] = {};
    const std::size_t whole = count / kLanes * kLanes;
    for (std::size_t i = 0; i < whole; i += kLanes) {
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
            const float value = widen(row[i + lane]);
            sums[lane] += value * value;
        }
    }
    double sum = 0.0;
    for (const float lane : sums) {
        sum += static_cast<double>(lane);
    }
    for (std::size_t i = whole; i < count; ++i) {
        const auto value = static_cast<double>(widen(row[i]));
        sum += value * value;
    }
    return sum;
}

[[gnu::always_inline]] inline float normOfAll(const Bfloat16Bits* row, std::size_t count) {
    return static_cast<float>(std::sqrt(squaresOfAll(row, count)));
}

[[gnu::always_inline]] inline void rmsNormAll(Bfloat16Bits* row, std::size_t count, float eps,
                                              const RmsWeight& weight) {
    const auto mean = static_cast<float>(squaresOfAll(row, count) / static_cast<double>(count));
    const float factor = 1.0F / std::sqrt(mean + eps);
    if (weight.values == nullptr) {
        for (std::size_t i = 0; i < count; ++i) {
            row[i] = narrow(widen(row[i]) * factor);
        }
    } else if (weight.afterRounding) {
        for (std::size_t i = 0; i < count; ++i) {
            row[i] = narrow(widen(narrow(widen(row[i]) * factor)) * widen(weight.values[i]));
        }
    } else {
        for (std::size_t i = 0; i < count; ++i) {
            row[i] = narrow(widen(row[i]) * factor * (widen(weight.values[i]) + weight.plus));
        }
    }
}

[[gnu::always_inline]] inline void addAll(Bfloat16Bits* sum, const Bfloat16Bits* row, float weight,
                                          std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        sum[i] = narrow(widen(sum[i]) + widen(narrow(widen(row[i]) * weight)));
    }
}

/// One set of loops, compiled for an instruction set.
struct Loops {
    void (*silu)(Bfloat16Bits*, const Bfloat16Bits*, std::size_t);
    float (*norm)(const Bfloat16Bits*, std::size_t);
    void (*add)(Bfloat16Bits*, const Bfloat16Bits*, float, std::size_t);
    void (*rmsNorm)(Bfloat16Bits*, std::size_t, float, const RmsWeight&);
};

constexpr Loops kPortable{
    [](Bfloat16Bits* gate, const Bfloat16Bits* up, std::size_t n) { siluTimesAll(gate, up, n); },
    [](const Bfloat16Bits* row, std::size_t n) { return normOfAll(row, n); },
    [](Bfloat16Bits* sum, const Bfloat16Bits* row, float weight, std::size_t n) {
        addAll(sum, row, weight, n);
    },
    [](Bfloat16Bits* row, std::size_t n, float eps, const RmsWeight& weight) {
        rmsNormAll(row, n, eps, weight);
    }};

MOESCOPE_TARGET_AVX2 void siluAvx2(Bfloat16Bits* gate, const Bfloat16Bits* up, std::size_t n) {
    siluTimesAll(gate, up, n);
}
MOESCOPE_TARGET_AVX2 float normAvx2(const Bfloat16Bits* row, std::size_t n) {
    return normOfAll(row, n);
}
MOESCOPE_TARGET_AVX2 void addAvx2(Bfloat16Bits* sum, const Bfloat16Bits* row, float weight,
                                  std::size_t n) {
    addAll(sum, row, weight, n);
}
MOESCOPE_TARGET_AVX2 void rmsNormAvx2(Bfloat16Bits* row, std::size_t n, float eps,
                                      const RmsWeight& weight) {
    rmsNormAll(row, n, eps, weight);
}
MOESCOPE_TARGET_AVX512 void siluAvx512(Bfloat16Bits* gate, const Bfloat16Bits* up, std::size_t n) {
    siluTimesAll(gate, up, n);
}
MOESCOPE_TARGET_AVX512 float normAvx512(const Bfloat16Bits* row, std::size_t n) {
    return normOfAll(row, n);
}
MOESCOPE_TARGET_AVX512 void addAvx512(Bfloat16Bits* sum, const Bfloat16Bits* row, float weight,
                                      std::size_t n) {
    addAll(sum, row, weight, n);
}
MOESCOPE_TARGET_AVX512 void rmsNormAvx512(Bfloat16Bits* row, std::size_t n, float eps,
                                          const RmsWeight& weight) {
    rmsNormAll(row, n, eps, weight);
}

const Loops& loops() {
    static const auto chosen =
        bestForm<Loops>(kPortable, {siluAvx2, normAvx2, addAvx2, rmsNormAvx2},
                        {siluAvx512, normAvx512, addAvx512, rmsNormAvx512});
    return chosen;
}

}  // namespace

void siluTimes(Bfloat16Bits* gate, const Bfloat16Bits* up, std::size_t count) {
    loops().silu(gate, up, count);
}

float rowNorm(const Bfloat16Bits* row, std::size_t count) {
    return loops().norm(row, count);
}

void addWeightedRow(Bfloat16Bits* sum, const Bfloat16Bits* row, float weight, std::size_t count) {
    loops().add(sum, row, weight, count);
}

void rmsNorm(Bfloat16Bits* row, std::size_t count, float eps, const RmsWeight& weight) {
    loops().rmsNorm(row, count, eps, weight);
}

}  // namespace moescope::engine
