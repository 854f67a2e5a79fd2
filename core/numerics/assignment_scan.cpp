// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/numerics/assignment_scan.h"

#include <algorithm>
#include <limits>

#if defined(__x86_64__)
#include <immintrin.h>
#define MOESCOPE_TARGET_AVX2 [[gnu::target("avx2")]]
#define MOESCOPE_TARGET_AVX512 [[gnu::target("avx2,avx512f,avx512vl")]]
#endif

namespace moescope::numerics::scan {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

void markFrom(std::size_t first, const float* values, const float* subtract, std::size_t n,
              float bound, Mask* masks) {
    for (std::size_t j = first; j < n; ++j) {
        const Mask bit = values[j] - subtract[j] > bound ? 1 : 0;
        const Mask before = j % kMaskBits == 0 ? 0 : masks[j / kMaskBits];
        masks[j / kMaskBits] = before | bit << (j % kMaskBits);
    }
}

void markPortable(const float* values, const float* subtract, std::size_t n, float bound,
                  Mask* masks) {
    markFrom(0, values, subtract, n, bound, masks);
}

double relaxPortable(const float* values, const double* prices, std::size_t n, double base,
                     std::uint32_t row, double* distances, std::uint32_t* from) {
    double smallest = kInfinity;
    for (std::size_t j = 0; j < n; ++j) {
        const double distance = base + (prices[j] - static_cast<double>(values[j]));
        if (distance < distances[j]) {
            distances[j] = distance;
            from[j] = row;
        }
        smallest = std::min(smallest, distances[j]);
    }
    return smallest;
}

TwoSmallest twoSmallestPortable(const float* values, const double* prices, std::size_t n,
                                std::uint32_t none) {
    TwoSmallest found{kInfinity, kInfinity, none, none};
    for (std::size_t j = 0; j < n; ++j) {
        const double cost = prices[j] - static_cast<double>(values[j]);
        if (cost < found.first) {
            found.second = found.first;
            found.secondIndex = none;
            found.first = cost;
            found.firstIndex = static_cast<std::uint32_t>(j);
        } else if (cost < found.second) {
            found.second = cost;
            found.secondIndex = cost == found.first ? static_cast<std::uint32_t>(j) : none;
        }
    }
    return found;
}

/// Fills in the places of two equal costs.
TwoSmallest withEqualPlaces(TwoSmallest found, const float* values, const double* prices,
                            std::size_t n, std::uint32_t none) {
    for (std::size_t j = 0; j < n && found.secondIndex == none; ++j) {
        if (prices[j] - static_cast<double>(values[j]) == found.first) {
            (found.firstIndex == none ? found.firstIndex : found.secondIndex) =
                static_cast<std::uint32_t>(j);
        }
    }
    return found;
}

void raisePortable(const float* values, std::size_t n, std::uint32_t row, float* largest,
                   std::uint32_t* from) {
    for (std::size_t j = 0; j < n; ++j) {
        const bool more = values[j] > largest[j];
        largest[j] = more ? values[j] : largest[j];
        from[j] = more ? row : from[j];
    }
}

#if defined(__x86_64__)

MOESCOPE_TARGET_AVX2 inline unsigned above8(const float* values, const float* subtract,
                                            float bound) {
    const __m256 difference = _mm256_sub_ps(_mm256_loadu_ps(values), _mm256_loadu_ps(subtract));
    const int bits =
        _mm256_movemask_ps(_mm256_cmp_ps(difference, _mm256_set1_ps(bound), _CMP_GT_OQ));
    return static_cast<unsigned>(bits);
}

MOESCOPE_TARGET_AVX512 inline unsigned above16(const float* values, const float* subtract,
                                               float bound) {
    const __m512 difference = _mm512_sub_ps(_mm512_loadu_ps(values), _mm512_loadu_ps(subtract));
    return _mm512_cmp_ps_mask(difference, _mm512_set1_ps(bound), _CMP_GT_OQ);
}

/// Whole words by `above`, which compares `lanes` entries; inlined where its instructions may be
/// used.
template <std::size_t lanes, unsigned (*above)(const float*, const float*, float)>
[[gnu::always_inline]] inline void markWords(const float* values, const float* subtract,
                                             std::size_t n, float bound, Mask* masks) {
    const std::size_t whole = n - n % kMaskBits;
    for (std::size_t first = 0; first < whole; first += kMaskBits) {
        Mask mask = 0;
        for (std::size_t b = 0; b < kMaskBits; b += lanes) {
            mask |= Mask{above(values + first + b, subtract + first + b, bound)} << b;
        }
        masks[first / kMaskBits] = mask;
    }
    markFrom(whole, values, subtract, n, bound, masks);
}

MOESCOPE_TARGET_AVX2 void markAvx2(const float* values, const float* subtract, std::size_t n,
                                   float bound, Mask* masks) {
    markWords<8, above8>(values, subtract, n, bound, masks);
}

MOESCOPE_TARGET_AVX512 void markAvx512(const float* values, const float* subtract, std::size_t n,
                                       float bound, Mask* masks) {
    markWords<16, above16>(values, subtract, n, bound, masks);
}

constexpr std::size_t kLanes = 8;

/// The lanes of the vector at `j` that lie inside the row.
MOESCOPE_TARGET_AVX512 inline __mmask8 lanesAt(std::size_t j, std::size_t n) {
    return n - j >= kLanes ? __mmask8{0xff} : static_cast<__mmask8>((1U << (n - j)) - 1U);
}

/// prices - values in the lanes, infinity elsewhere.
MOESCOPE_TARGET_AVX512 inline __m512d costsAt(const float* values, const double* prices,
                                              __mmask8 lanes) {
    const __m512d value = _mm512_cvtps_pd(_mm256_maskz_loadu_ps(lanes, values));
    const __m512d price = _mm512_mask_loadu_pd(_mm512_set1_pd(kInfinity), lanes, prices);
    return _mm512_sub_pd(price, value);
}

MOESCOPE_TARGET_AVX512 double relaxAvx512(const float* values, const double* prices, std::size_t n,
                                          double base, std::uint32_t row, double* distances,
                                          std::uint32_t* from) {
    const __m512d start = _mm512_set1_pd(base);
    const __m256i rows = _mm256_set1_epi32(static_cast<int>(row));
    const __m512d infinite = _mm512_set1_pd(kInfinity);
    __m512d smallest = infinite;
    for (std::size_t j = 0; j < n; j += kLanes) {
        const __mmask8 lanes = lanesAt(j, n);
        const __m512d distance = _mm512_add_pd(start, costsAt(values + j, prices + j, lanes));
        const __m512d known = _mm512_mask_loadu_pd(infinite, lanes, distances + j);
        const __mmask8 better = _mm512_cmp_pd_mask(distance, known, _CMP_LT_OQ);
        _mm512_mask_storeu_pd(distances + j, better, distance);
        _mm256_mask_storeu_epi32(from + j, better, rows);
        smallest = _mm512_min_pd(smallest, _mm512_min_pd(distance, known));
    }
    return _mm512_reduce_min_pd(smallest);
}

MOESCOPE_TARGET_AVX512 TwoSmallest twoSmallestAvx512(const float* values, const double* prices,
                                                     std::size_t n, std::uint32_t none) {
    __m512d first = _mm512_set1_pd(kInfinity);
    __m512d second = first;
    __m512i where = _mm512_setzero_si512();  // the vector that each lane's first came from
    for (std::size_t j = 0; j < n; j += kLanes) {
        const __m512d costs = costsAt(values + j, prices + j, lanesAt(j, n));
        const __mmask8 less = _mm512_cmp_pd_mask(costs, first, _CMP_LT_OQ);
        second = _mm512_min_pd(second, _mm512_max_pd(first, costs));
        first = _mm512_min_pd(first, costs);
        where = _mm512_mask_set1_epi64(where, less, static_cast<long long>(j));
    }
    TwoSmallest found{_mm512_reduce_min_pd(first), 0.0, none, none};
    if (found.first == kInfinity) {
        found.second = kInfinity;
        return found;
    }
    // The winner's lane gives its runner-up, every other lane its first.
    const unsigned winners = _mm512_cmp_pd_mask(first, _mm512_set1_pd(found.first), _CMP_EQ_OQ);
    const auto winner = static_cast<__mmask8>(winners & (0U - winners));
    found.second = _mm512_reduce_min_pd(_mm512_mask_mov_pd(first, winner, second));
    if (found.first < found.second) {
        std::uint64_t vectors[kLanes];
        _mm512_storeu_si512(vectors, where);
        const auto lane = static_cast<std::uint32_t>(__builtin_ctz(winners));
        found.firstIndex = static_cast<std::uint32_t>(vectors[lane]) + lane;
        return found;
    }
    return withEqualPlaces(found, values, prices, n, none);
}

MOESCOPE_TARGET_AVX512 void raiseAvx512(const float* values, std::size_t n, std::uint32_t row,
                                        float* largest, std::uint32_t* from) {
    constexpr std::size_t kFloats = 16;
    const __m512i rows = _mm512_set1_epi32(static_cast<int>(row));
    for (std::size_t j = 0; j < n; j += kFloats) {
        const auto lanes =
            n - j >= kFloats ? __mmask16{0xffff} : static_cast<__mmask16>((1U << (n - j)) - 1U);
        const __m512 value = _mm512_maskz_loadu_ps(lanes, values + j);
        const __m512 known = _mm512_maskz_loadu_ps(lanes, largest + j);
        const __mmask16 more = _mm512_mask_cmp_ps_mask(lanes, value, known, _CMP_GT_OQ);
        _mm512_mask_storeu_ps(largest + j, more, value);
        _mm512_mask_storeu_epi32(from + j, more, rows);
    }
}

#endif

Level highest() {
    static const Level found = isSupported(Level::Avx512) ? Level::Avx512
                               : isSupported(Level::Avx2) ? Level::Avx2
                                                          : Level::Portable;
    return found;
}

constexpr Passes kPortable{markPortable, relaxPortable, twoSmallestPortable, raisePortable};
#if defined(__x86_64__)
// Doubles in four lanes gain nothing over what the compiler makes of the portable loops.
constexpr Passes kAvx2{markAvx2, relaxPortable, twoSmallestPortable, raisePortable};
constexpr Passes kAvx512{markAvx512, relaxAvx512, twoSmallestAvx512, raiseAvx512};
#endif

}  // namespace

bool isSupported(Level level) {
#if defined(__x86_64__)
    switch (level) {
        case Level::Avx512:
            return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl");
        case Level::Avx2:
            return __builtin_cpu_supports("avx2");
        case Level::Portable:
            break;
    }
#endif
    return level == Level::Portable;
}

const Passes& passesOf(Level level) {
#if defined(__x86_64__)
    if (level != Level::Portable) {
        return level == Level::Avx512 ? kAvx512 : kAvx2;
    }
#endif
    static_cast<void>(level);
    return kPortable;
}

void markAbove(const float* values, const float* subtract, std::size_t n, float bound,
               Mask* masks) {
    passesOf(highest()).markAbove(values, subtract, n, bound, masks);
}

double relax(const float* values, const double* prices, std::size_t n, double base,
             std::uint32_t row, double* distances, std::uint32_t* from) {
    return passesOf(highest()).relax(values, prices, n, base, row, distances, from);
}

TwoSmallest twoSmallest(const float* values, const double* prices, std::size_t n,
                        std::uint32_t none) {
    return passesOf(highest()).twoSmallest(values, prices, n, none);
}

void raise(const float* values, std::size_t n, std::uint32_t row, float* largest,
           std::uint32_t* from) {
    passesOf(highest()).raise(values, n, row, largest, from);
}

}  // namespace moescope::numerics::scan
