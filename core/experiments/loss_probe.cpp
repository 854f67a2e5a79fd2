// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/loss_probe.h"

namespace moescope::experiments {

std::uint64_t LossProbe::partBytes(const model::ModelSpec& model, std::uint64_t tokens) const {
    static_cast<void>(tokens);
    return (branches(model).size() + 1) * NextTokenLoss::measures().size() * sizeof(double);
}

void LossProbe::begin(const engine::ModelContext& model) {
    m_losses.begin(model.corpus, branches(model.model).size());
    prepare(model, m_losses);
}

std::optional<session::Part> LossProbe::finishModel(const engine::ModelContext& model,
                                                    const engine::PartSource& stored) {
    static_cast<void>(stored);
    session::Part part;
    part.tokens = model.corpus.ids.size();
    part.warnings = m_losses.warnings();
    part.quantities.push_back(m_losses.intact());
    addTables(model, m_losses, part);
    return part;
}

}  // namespace moescope::experiments
