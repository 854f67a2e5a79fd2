// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/probe.h"
#include "core/experiments/catalogue.h"
#include "core/session/session.h"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

/// What a run may read of what is finished. Thread-compatible.
namespace moescope::engine {

/// What the run has finished so far, and what the session held before it.
class RunResults final : public ResultSource {
public:
    /// `parts` and `session` as far as they exist. Throws as Session::open() does.
    RunResults(const std::filesystem::path& parts, const std::filesystem::path& session);
    [[nodiscard]] NdArray read(std::string_view experiment, std::string_view quantity,
                               LayerId layer) const override;

private:
    std::vector<std::shared_ptr<const session::Session>> m_sessions;
};

/// What a finished session holds of an experiment as it is defined now, whatever its options.
class KeptResults final : public KeptPart {
public:
    KeptResults(std::shared_ptr<const session::Session> session,
                const experiments::ExperimentInfo& info);
    [[nodiscard]] std::optional<session::Quantity> read(std::string_view quantity) const override;

private:
    std::shared_ptr<const session::Session> m_session;
    std::string m_experiment;
    bool m_isCurrent = false;
};

}  // namespace moescope::engine
