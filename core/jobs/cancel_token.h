// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <stop_token>
#include <utility>

namespace moescope::jobs {

/// The reading side of a request to stop. Work polls it at least every 50 ms. A default token is
/// never cancelled. Thread-safe.
class CancelToken {
public:
    CancelToken() = default;
    explicit CancelToken(std::stop_token token) : m_token(std::move(token)) {}

    [[nodiscard]] bool isCancelled() const noexcept { return m_token.stop_requested(); }
    /// Throws Error(Cancelled).
    void throwIfCancelled() const;
    /// For std::condition_variable_any and std::stop_callback.
    [[nodiscard]] const std::stop_token& stopToken() const noexcept { return m_token; }

private:
    std::stop_token m_token;
};

/// The asking side; copies share one request. Thread-safe, but not async-signal-safe: signals go
/// through TerminationSignals.
class CancelSource {
public:
    [[nodiscard]] CancelToken token() const { return CancelToken(m_source.get_token()); }
    void cancel() noexcept { m_source.request_stop(); }
    [[nodiscard]] bool isCancelled() const noexcept { return m_source.stop_requested(); }

private:
    std::stop_source m_source;
};

}  // namespace moescope::jobs
