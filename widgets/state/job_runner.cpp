// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/state/job_runner.h"

#include "core/base/error.h"

#include <exception>
#include <new>

namespace moescope::widgets {

JobRunner::JobRunner(WorkLane& lane, QObject* parent)
    : QObject(parent), m_lane(lane), m_mailbox(std::make_shared<Mailbox>()) {
    m_mailbox->runner = this;
}

JobRunner::~JobRunner() {
    if (m_pending) {
        m_pending->request_stop();
    }
    const std::lock_guard lock(m_mailbox->mutex);
    m_mailbox->runner = nullptr;
}

void JobRunner::cancel() {
    ++m_ticket;
    if (m_pending) {
        m_pending->request_stop();
        m_pending.reset();
        Q_EMIT busyChanged(false);
    }
}

void JobRunner::start(std::function<std::function<void()>(std::stop_token)> job,
                      WorkLane::Priority priority) {
    const bool wasBusy = isBusy();
    if (m_pending) {
        m_pending->request_stop();
    }
    const quint64 ticket = ++m_ticket;
    WorkLane::Work work = [mailbox = m_mailbox, ticket,
                           job = std::move(job)](const std::stop_token& stop) {
        const std::function<void()> deliver = job(stop);
        const std::lock_guard lock(mailbox->mutex);
        JobRunner* runner = mailbox->runner;
        // The lane may have asked it to stop; finish() knows whether it is still awaited.
        if (runner != nullptr) {
            QMetaObject::invokeMethod(
                runner, [runner, ticket, deliver] { runner->finish(ticket, deliver); },
                Qt::QueuedConnection);
        }
    };
    m_pending.emplace();
    if (priority == WorkLane::Priority::Soon) {
        // After whatever the event at hand makes others ask for, or an idle lane would begin here.
        QMetaObject::invokeMethod(
            this,
            [this, work = std::move(work), priority, stop = *m_pending] {
                m_lane.post(work, priority, stop);
            },
            Qt::QueuedConnection);
    } else {
        m_lane.post(std::move(work), priority, *m_pending);
    }
    if (!wasBusy) {
        Q_EMIT busyChanged(true);
    }
}

void JobRunner::finish(quint64 ticket, const std::function<void()>& deliver) {
    if (ticket != m_ticket) {
        return;
    }
    m_pending.reset();
    Q_EMIT busyChanged(false);
    deliver();
}

Problem JobRunner::currentProblem() {
    const auto word = [](ErrorCode code) {
        const std::string_view text = name(code);
        return QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
    };
    try {
        throw;
    } catch (const Error& error) {
        return {word(error.code()), QString::fromUtf8(error.what()), {}};
    } catch (const std::bad_alloc&) {
        return {word(ErrorCode::OutOfMemory),
                tr("Not enough memory to show this. Close other sessions and try again."),
                {}};
    } catch (const std::exception& error) {
        return {word(ErrorCode::Internal), QString::fromUtf8(error.what()), {}};
    } catch (...) {
        return {word(ErrorCode::Internal), tr("An unknown error occurred."), {}};
    }
}

}  // namespace moescope::widgets
