// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/expert_queue.h"

#include <ATen/ATen.h>

#include <utility>

namespace moescope::engine {

ExpertQueue::ExpertQueue(std::vector<std::future<FeedForward>> coming,
                         std::shared_ptr<WeightBuffers> buffers, bool hold)
    : m_coming(std::move(coming)),
      m_held(hold ? m_coming.size() : 0),
      m_buffers(std::move(buffers)) {}

FeedForward ExpertQueue::wait(std::future<FeedForward>& coming) {
    return waitFor(coming, m_buffers.get());
}

std::optional<FeedForward> ExpertQueue::get(int expert) {
    const auto index = static_cast<std::size_t>(expert);
    if (index < m_held.size() && m_held[index]) {
        return m_held[index];
    }
    if (m_last && m_last->first == expert) {
        return m_last->second;
    }
    m_last.reset();
    if (index >= m_coming.size() || !m_coming[index].valid()) {
        return std::nullopt;
    }
    if (!m_held.empty()) {
        m_held[index] = wait(m_coming[index]);
        return m_held[index];
    }
    for (std::size_t before = 0; before < index; ++before) {
        m_coming[before] = {};
    }
    m_last.emplace(expert, wait(m_coming[index]));
    return m_last->second;
}

void ExpertQueue::finish() {
    for (auto& coming : m_coming) {
        if (coming.valid()) {
            static_cast<void>(wait(coming));
        }
    }
    m_coming.clear();
    m_held.clear();
    m_last.reset();
}

}  // namespace moescope::engine
