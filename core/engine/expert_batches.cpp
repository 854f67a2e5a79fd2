// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/expert_batches.h"

#include "core/base/error.h"
#include "core/engine/device_memory.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <exception>
#include <utility>

namespace moescope::engine {

ExpertBatches::ExpertBatches(Setup setup)
    : m_setup(std::move(setup)),
      m_wanted(static_cast<std::size_t>(m_setup.experts), true),
      m_abandoned(std::make_shared<std::atomic<bool>>(false)) {}

ExpertBatches::~ExpertBatches() {
    *m_abandoned = true;
    try {
        letDroppedGo();
        retire(m_current);
        retire(m_next);
    } catch (const std::exception&) {
        // A device that failed has told whoever computed on it.
    }
}

void ExpertBatches::expect(std::vector<bool> wanted) {
    m_wanted = std::move(wanted);
}

int ExpertBatches::batchSize() const {
    // Two batches share the room, so that one can travel.
    return holdsAll() ? m_setup.experts : std::max(1, m_setup.atOnce / 2);
}

std::future<ExpertBatches::Loaded> ExpertBatches::submit(int expert) {
    return m_setup.lane.submit(
        [load = m_setup.load, &stream = m_setup.stream, expert, abandoned = m_abandoned] {
            if (*abandoned) {
                throw Error(ErrorCode::Cancelled, "The run was stopped.");
            }
            Loaded loaded{load(expert), {}};
            loaded.ready = stream.uploadMark();
            return loaded;
        });
}

ExpertBatches::Batch ExpertBatches::setOut(int expert) {
    const int size = batchSize();
    Batch batch;
    batch.first = expert / size * size;
    const int end = std::min(batch.first + size, m_setup.experts);
    for (int e = batch.first; e < end; ++e) {
        Expert& one = batch.experts.emplace_back();
        if (m_wanted[static_cast<std::size_t>(e)]) {
            one.coming = submit(e);
        }
    }
    return batch;
}

void ExpertBatches::start() {
    if (!m_current) {
        m_current = setOut(0);
    }
}

void ExpertBatches::retire(std::optional<Batch>& batch) {
    if (!batch) {
        return;
    }
    m_hasRetired = true;
    // The lane keeps it until the computation is through with it, and brings nothing meanwhile:
    // what it brings next finds the room that this one leaves.
    static_cast<void>(m_setup.lane.submit([gone = *std::exchange(batch, std::nullopt),
                                           through = m_setup.stream.computationMark(),
                                           &stream = m_setup.stream]() mutable {
        through.wait();
        stream.uploadMark().wait();  // of what was never asked for
        gone = {};
    }));
}

void ExpertBatches::advanceTo(int expert) {
    retire(m_current);
    if (m_next && m_next->has(expert)) {
        m_current = std::exchange(m_next, std::nullopt);
    } else {
        retire(m_next);
        m_current = setOut(expert);
    }
    if (!holdsAll() && m_setup.atOnce >= 2) {
        // After the last batch comes the first again, for the next block of tokens.
        const int after = m_current->first + static_cast<int>(m_current->experts.size());
        m_next = setOut(after < m_setup.experts ? after : 0);
    }
}

int ExpertBatches::together(int expert) const {
    const int size = batchSize();
    const int end = m_current && m_current->has(expert)
                        ? m_current->first + static_cast<int>(m_current->experts.size())
                        : std::min(expert / size * size + size, m_setup.experts);
    return end - expert;
}

std::vector<FeedForward> ExpertBatches::get(std::span<const int> experts) {
    letDroppedGo();
    m_inUse.clear();
    if (!m_current || !m_current->has(experts.front())) {
        advanceTo(experts.front());
    }
    std::vector<FeedForward> all;
    all.reserve(experts.size());
    for (const int expert : experts) {
        all.push_back(arrived(expert));
    }
    m_inUse = all;
    return all;
}

FeedForward ExpertBatches::get(int expert) {
    return get(std::span(&expert, 1)).front();
}

const FeedForward& ExpertBatches::arrived(int expert) {
    Expert& one = m_current->experts.at(static_cast<std::size_t>(expert - m_current->first));
    if (one.here) {
        return *one.here;
    }
    std::optional<Loaded> loaded;
    if (one.coming.valid()) {
        try {
            loaded = one.coming.get();
        } catch (const c10::Error& error) {
            // It was sent for while a layer before still had its memory.
            if (!isOutOfMemory(error)) {
                throw;
            }
        }
    }
    if (!loaded) {
        loaded = submit(expert).get();
    }
    loaded->ready.holdComputation();
    one.here = std::move(loaded->weights);
    return *one.here;
}

void ExpertBatches::letDroppedGo() {
    if (!m_dropped.empty()) {
        m_setup.stream.computationMark().wait();
        m_dropped.clear();
    }
}

void ExpertBatches::finish() {
    if (!m_current || !holdsAll()) {
        return;
    }
    try {
        for (std::size_t e = 0; e < m_current->experts.size(); ++e) {
            if (m_current->experts[e].coming.valid()) {
                static_cast<void>(get(static_cast<int>(e)));
            }
        }
    } catch (const c10::Error& error) {
        if (!isOutOfMemory(error)) {
            throw;
        }
        // No token chose those that are left: the layer is computed without them.
    }
}

void ExpertBatches::allow(int atOnce) {
    if (!m_current && !m_next) {
        m_setup.atOnce = atOnce;
    }
}

bool ExpertBatches::letRetiredGo() {
    if (!std::exchange(m_hasRetired, false)) {
        return false;
    }
    m_setup.lane.submit([] {}).wait();
    return true;
}

bool ExpertBatches::drop() {
    if (!m_current && !m_next) {
        return false;
    }
    *m_abandoned = true;
    m_setup.lane.submit([] {}).wait();  // and what was retired before is gone
    m_setup.stream.uploadMark().wait();
    m_setup.stream.computationMark().wait();
    // Whoever asked for the last experts may be in the middle of them, and give the device more to
    // do with them than the mark knows of.
    m_dropped = m_inUse;
    m_current.reset();
    m_next.reset();
    m_abandoned = std::make_shared<std::atomic<bool>>(false);
    return true;
}

bool ExpertBatches::halve() {
    static_cast<void>(drop());
    const int now = std::min(m_setup.atOnce, m_setup.experts);
    if (now <= 1) {
        return false;
    }
    m_setup.atOnce = now / 2;
    return true;
}

}  // namespace moescope::engine
