// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/part_writer.h"

#include "core/base/error.h"

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <utility>

namespace moescope::engine {
namespace {

/// About two layers' parts; more would only pile up memory.
constexpr std::size_t kMostPending = 16;

}  // namespace

void Events::warn(const std::string& message) {
    session::RunEvent event;
    event.kind = session::RunEvent::Kind::Warning;
    event.message = message;
    send(event);
}

void PartWriter::add(session::Part part) {
    const auto ready = [](const std::future<void>& future) {
        return future.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
    };
    while (m_pending.size() >= kMostPending || (!m_pending.empty() && ready(m_pending.front()))) {
        takeFront();
    }
    auto shared = std::make_shared<const session::Part>(std::move(part));
    m_pending.push_back(m_lane.submit([this, shared] {
        m_store.writePart(*shared);
        session::RunEvent event;
        event.kind = session::RunEvent::Kind::PartDone;
        event.experiment = shared->key.experiment;
        if (shared->key.layer) {
            event.layer = shared->key.layer->value;
        }
        m_events.send(event);
    }));
}

void PartWriter::show(const session::Part& part) {
    drain();
    m_lane
        .submit([this, &part] {
            try {
                m_store.writeInterim(part);
            } catch (const Error& error) {
                // Results do not depend on it: they are written when they are whole.
                if (!std::exchange(m_cannotShow, true)) {
                    m_events.warn(
                        fmt::format("What is done so far cannot be shown. {}", error.what()));
                }
                return;
            }
            session::RunEvent event;
            event.kind = session::RunEvent::Kind::PartDone;
            event.experiment = part.key.experiment;
            m_events.send(event);
        })
        .get();
}

void PartWriter::takeFront() {
    std::future<void> front = std::move(m_pending.front());
    m_pending.pop_front();
    front.get();
    ++m_written;
}

void PartWriter::settle() noexcept {
    for (const std::future<void>& pending : m_pending) {
        pending.wait();
    }
    m_pending.clear();
}

void PartWriter::drain() {
    while (!m_pending.empty()) {
        takeFront();
    }
}

}  // namespace moescope::engine
