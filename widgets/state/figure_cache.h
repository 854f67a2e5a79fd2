// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/figure.h"
#include "core/figures/request.h"

#include <cstddef>
#include <list>
#include <memory>
#include <utility>
#include <vector>

namespace moescope::widgets {

using FigurePointer = std::shared_ptr<const figures::Figure>;

/// Which figure of which state of a session.
struct FigureKey {
    int session = 0;
    int revision = 0;
    figures::FigureRequest request;
    std::vector<std::pair<int, int>> others{};  ///< sessions compared with, and their revisions
    bool operator==(const FigureKey&) const = default;
};

/// Figures drawn lately and those fetched ahead, the oldest go first when the bytes run out.
/// *GUI thread only*.
class FigureCache {
public:
    explicit FigureCache(std::size_t maxBytes = std::size_t{128} << 20U) : m_maxBytes(maxBytes) {}

    /// nullptr when it is not there; otherwise it becomes the newest.
    [[nodiscard]] FigurePointer find(const FigureKey& key);
    void insert(const FigureKey& key, FigurePointer figure);
    void forgetSession(int session);
    [[nodiscard]] std::size_t bytes() const { return m_bytes; }
    [[nodiscard]] std::size_t count() const { return m_entries.size(); }

private:
    struct Entry {
        FigureKey key;
        FigurePointer figure;
        std::size_t bytes = 0;
    };
    void drop(std::list<Entry>::iterator entry);

    std::list<Entry> m_entries;  ///< newest first
    std::size_t m_maxBytes;
    std::size_t m_bytes = 0;
};

/// Roughly what a figure occupies.
[[nodiscard]] std::size_t estimatedBytes(const figures::Figure& figure);

}  // namespace moescope::widgets
