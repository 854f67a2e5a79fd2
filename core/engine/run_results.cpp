// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/run_results.h"

#include "core/base/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace moescope::engine {

RunResults::RunResults(const std::filesystem::path& parts, const std::filesystem::path& session) {
    std::error_code ignored;
    for (const std::filesystem::path& path : {parts, session}) {
        if (std::filesystem::exists(path, ignored)) {
            m_sessions.push_back(session::Session::open(path));
        }
    }
}

NdArray RunResults::read(std::string_view experiment, std::string_view quantity,
                         LayerId layer) const {
    const session::QuantityId id{BranchId{0}, std::string(experiment), std::string(quantity)};
    for (const auto& session : m_sessions) {
        const session::QuantityInfo* info = session->find(id);
        if (info != nullptr &&
            std::find(info->layers.begin(), info->layers.end(), layer) != info->layers.end()) {
            return session->read(id, layer);
        }
    }
    throw Error(ErrorCode::Usage,
                fmt::format("The experiment {} is needed for this, and the session does not "
                            "hold it for layer {}; add it to --experiments.",
                            experiment, layer.value));
}

KeptResults::KeptResults(std::shared_ptr<const session::Session> session,
                         const experiments::ExperimentInfo& info)
    : m_session(std::move(session)), m_experiment(info.id) {
    const auto& records = m_session->head().experiments;
    const auto record = std::find_if(records.begin(), records.end(),
                                     [&](const auto& each) { return each.id == m_experiment; });
    m_isCurrent = record != records.end() && record->version == info.version &&
                  record->state == session::ExperimentState::Done;
}

std::optional<session::Quantity> KeptResults::read(std::string_view quantity) const {
    const session::QuantityInfo* info =
        m_isCurrent ? m_session->find({BranchId{0}, m_experiment, std::string(quantity)}) : nullptr;
    if (info == nullptr || !info->layers.empty()) {
        return std::nullopt;
    }
    return session::Quantity{info->id.quantity, info->axes, info->longName, info->units,
                             m_session->read(info->id, std::nullopt)};
}

}  // namespace moescope::engine
