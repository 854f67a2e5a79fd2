// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/session/session.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>
#include <vector>

namespace moescope::tests {

/// Largest difference between two arrays of a quantity, relative to values above 1; NaN equals NaN.
inline double arrayDifference(const NdArray& a, const NdArray& b) {
    const auto x = a.toDoubles();
    const auto y = b.toDoubles();
    double largest = a.shape() == b.shape() ? 0.0 : HUGE_VAL;
    for (std::size_t i = 0; i < std::min(x.size(), y.size()); ++i) {
        if (std::isnan(x[i]) && std::isnan(y[i])) {
            continue;
        }
        const double difference = std::abs(x[i] - y[i]) / std::max(1.0, std::abs(x[i]));
        largest = std::isnan(difference) ? HUGE_VAL : std::max(largest, difference);
    }
    return largest;
}

/// Checks that two sessions hold the same quantities with values that differ by at most
/// `tolerance`.
inline void checkSameResults(const std::filesystem::path& first,
                             const std::filesystem::path& second, double tolerance) {
    const auto a = session::Session::open(first);
    const auto b = session::Session::open(second);
    REQUIRE(a->quantities().size() == b->quantities().size());
    REQUIRE_FALSE(a->quantities().empty());
    for (const session::QuantityInfo& info : a->quantities()) {
        const session::QuantityInfo* other = b->find(info.id);
        INFO(info.id.experiment << "/" << info.id.quantity);
        REQUIRE(other != nullptr);
        REQUIRE((other->layers == info.layers));
        if (info.layers.empty()) {
            CHECK(arrayDifference(a->read(info.id, std::nullopt), b->read(info.id, std::nullopt)) <=
                  tolerance);
        }
        for (const LayerId layer : info.layers) {
            INFO("layer " << layer.value);
            CHECK(arrayDifference(a->read(info.id, layer), b->read(info.id, layer)) <= tolerance);
        }
    }
}

/// Checks the same of values computed by other means: sums are taken in another order there, so
/// that now and then a token has another expert or rank. At most `share` of a quantity's values may
/// differ by more than `tolerance`; of a table of counts, at most that share of what it counts.
inline void checkAlikeResults(const std::filesystem::path& one, const std::filesystem::path& other,
                              double tolerance, double share) {
    const auto a = session::Session::open(one);
    const auto b = session::Session::open(other);
    REQUIRE(a->quantities().size() == b->quantities().size());
    REQUIRE_FALSE(a->quantities().empty());
    for (const session::QuantityInfo& info : a->quantities()) {
        const session::QuantityInfo* found = b->find(info.id);
        INFO(info.id.experiment << "/" << info.id.quantity);
        REQUIRE(found != nullptr);
        REQUIRE((found->layers == info.layers));
        std::vector<std::optional<LayerId>> places(info.layers.begin(), info.layers.end());
        if (places.empty()) {
            places.emplace_back(std::nullopt);
        }
        for (const auto& layer : places) {
            INFO("layer " << (layer ? layer->value : -1));
            const NdArray first = a->read(info.id, layer);
            const NdArray second = b->read(info.id, layer);
            REQUIRE(first.shape() == second.shape());
            const auto x = first.toDoubles();
            const auto y = second.toDoubles();
            if (info.units == "count") {
                double moved = 0.0;
                double all = 0.0;
                for (std::size_t i = 0; i < x.size(); ++i) {
                    moved += std::abs(x[i] - y[i]);
                    all += x[i];
                }
                CHECK(moved <= 2.0 * share * all);  // what moves leaves one cell for another
                continue;
            }
            std::size_t differ = 0;
            for (std::size_t i = 0; i < x.size(); ++i) {
                const bool alike =
                    (std::isnan(x[i]) && std::isnan(y[i])) ||
                    std::abs(x[i] - y[i]) <= tolerance * std::max(1.0, std::abs(x[i]));
                differ += alike ? 0 : 1;
            }
            CHECK(static_cast<double>(differ) <= share * static_cast<double>(x.size()));
        }
    }
}

}  // namespace moescope::tests
