// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/source.h"

namespace moescope::figures {
namespace {

class SessionSource final : public FigureSource {
public:
    explicit SessionSource(std::shared_ptr<const session::Session> session)
        : m_session(std::move(session)) {}
    [[nodiscard]] const session::Head& head() const override { return m_session->head(); }
    [[nodiscard]] const session::QuantityInfo* find(const session::QuantityId& id) const override {
        return m_session->find(id);
    }
    [[nodiscard]] NdArray read(const session::QuantityId& id,
                               std::optional<LayerId> layer) const override {
        return m_session->read(id, layer);
    }
    [[nodiscard]] NdArray readRows(const session::QuantityId& id, std::optional<LayerId> layer,
                                   std::uint64_t first, std::uint64_t count) const override {
        return m_session->readRows(id, layer, first, count);
    }

private:
    std::shared_ptr<const session::Session> m_session;
};

}  // namespace

std::shared_ptr<const FigureSource> makeSource(std::shared_ptr<const session::Session> session) {
    return std::make_shared<SessionSource>(std::move(session));
}

}  // namespace moescope::figures
