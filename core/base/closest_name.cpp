// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/closest_name.h"

#include <algorithm>
#include <vector>

namespace moescope {
namespace {

/// Longer names are not told apart by typing mistakes.
constexpr std::size_t kLongest = 64;

std::string folded(std::string_view name) {
    std::string result(name);
    for (char& c : result) {
        c = c == '_' || c == ' '   ? '-'
            : c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a')
                                   : c;
    }
    return result;
}

/// Optimal string alignment distance (Boytsov 2011), three rows at a time.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1);
    std::vector<std::size_t> last(b.size() + 1);
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) {
        last[j] = j;
    }
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + change});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = std::min(row[j], before[j - 2] + 1);
            }
        }
        std::swap(before, last);
        std::swap(last, row);
    }
    return last[b.size()];
}

}  // namespace

std::optional<std::string_view> closestName(std::string_view mistyped,
                                            std::span<const std::string_view> names) {
    constexpr std::size_t kCharactersPerMistake = 3;
    if (mistyped.empty() || mistyped.size() > kLongest) {
        return std::nullopt;
    }
    const std::string wanted = folded(mistyped);
    std::optional<std::string_view> closest;
    std::size_t fewest = std::max<std::size_t>(1, wanted.size() / kCharactersPerMistake) + 1;
    for (const std::string_view name : names) {
        if (name.size() > kLongest) {
            continue;
        }
        if (const std::size_t mistakes = distance(wanted, folded(name)); mistakes < fewest) {
            fewest = mistakes;
            closest = name;
        }
    }
    return closest;
}

std::string didYouMean(std::string_view mistyped, std::span<const std::string_view> names) {
    const auto closest = closestName(mistyped, names);
    return closest ? " Did you mean \"" + std::string(*closest) + "\"?" : std::string();
}

}  // namespace moescope
